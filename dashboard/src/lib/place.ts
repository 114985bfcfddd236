/** What the address of the page says. */

import { CAMERA_STATES, type CameraState } from './protocol';

export interface Place {
  /** The camera that is open in the large view. */
  camera: string | null;
  /** The search among cameras. */
  q: string;
  state: CameraState | null;
}

export function readPlace(search: string): Place {
  const parameters = new URLSearchParams(search);
  return {
    camera: parameters.get('camera') || null,
    q: parameters.get('q') ?? '',
    state: CAMERA_STATES.find((state) => state === parameters.get('state')) ?? null,
  };
}

export function writePlace({ camera, q, state }: Place): string {
  const parameters = new URLSearchParams();
  if (q !== '') parameters.set('q', q);
  if (state !== null) parameters.set('state', state);
  if (camera !== null) parameters.set('camera', camera);
  const search = parameters.toString();
  return search === '' ? '/' : `/?${search}`;
}
