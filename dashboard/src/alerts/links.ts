/** Where an alert leads: made by the page, which knows the other pages. */

import type { CameraState } from '../lib/protocol';

export interface AlertLinks {
  camera: (id: string) => string;
  cameras: (state: CameraState) => string;
  /** `null` where there is no such page. */
  nodes: () => string | null;
  explore: (expression: string) => string | null;
  alert: (name: string) => string;
  /** Goes there, as `follow` does for a link. */
  go: (href: string) => void;
  follow: (event: MouseEvent, href: string) => void;
  /** The text of the runbook, from the gateway. */
  runbook: (name: string) => Promise<string>;
}
