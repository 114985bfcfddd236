/** What the overview's address says: which cameras are shown, and which one is open. Pure. */

import type { PageAddress } from '../lib/address';
import { CAMERA_STATES, type CameraState } from '../lib/protocol';

export interface OverviewPlace {
  /** The camera that is open in the large view. */
  camera: string | null;
  /** The search among cameras. */
  q: string;
  state: CameraState | null;
  group: string | null;
}

export const OVERVIEW: PageAddress<OverviewPlace> = {
  path: '/',
  empty: { camera: null, q: '', state: null, group: null },
  parameters: { camera: null, q: null, state: CAMERA_STATES, group: null },
  read: (parameters) => ({
    camera: parameters.get('camera') || null,
    q: parameters.get('q') ?? '',
    state: CAMERA_STATES.find((state) => state === parameters.get('state')) ?? null,
    group: parameters.get('group') || null,
  }),
  write({ camera, q, state, group }, parameters) {
    if (q !== '') parameters.set('q', q);
    if (state !== null) parameters.set('state', state);
    if (group !== null) parameters.set('group', group);
    if (camera !== null) parameters.set('camera', camera);
  },
};
