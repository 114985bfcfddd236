/** What tiles and pictures need of the page around them. The App is one. */

import type { Camera } from './camera.svelte';
import type { Monotonic } from './clock';
import type { Result } from './contract.gen';
import type { Freshness } from './freshness';
import type { Pictures } from './pictures';
import type { Watch } from './watch';

export interface LiveView {
  /** Server time, Unix seconds. */
  readonly now: number;
  /** Local milliseconds, set four times a second. */
  readonly tick: number;
  readonly pictures: Pictures;
  readonly watching: Watch;
  /** The age of the camera's picture in seconds, and what that means; `null` without a picture to show. */
  pictureAge(camera: Camera): { seconds: number; freshness: Freshness } | null;
  /** Notes that a picture of the camera has just been painted; `again`: that another view had shown before. */
  painted(camera: Camera, result: Result, arrived: Monotonic, again: boolean): void;
}
