/**
 * Decides whether a picture may be taken for what its camera sees now.
 *
 * Past the staleness budget only the camera's own word can say so: it is live, and either leaves out frames that
 * show nothing new, or sends them so seldom. Such a picture is never shown without its age.
 */

import type { CameraView } from './contract.gen';

export type Freshness =
  /** Within the budget. */
  | 'fresh'
  /** Nothing has changed since. */
  | 'unchanged'
  /** The newest that a slow camera has. */
  | 'slow'
  | 'stale';

/** How many intervals of a slow camera may pass: one frame may be late. */
const INTERVALS = 2;

/** `age` and `budget` in seconds; `info` is the gateway's word, `null` where there is none that still counts. */
export function freshness(
  age: number,
  budget: number,
  info: Pick<CameraView, 'state' | 'still' | 'fps'> | null,
): Freshness {
  if (age <= budget) return 'fresh';
  if (info === null || info.state !== 'live') return 'stale';
  if (info.still) return 'unchanged';
  return info.fps !== null && info.fps > 0 && age * info.fps <= INTERVALS ? 'slow' : 'stale';
}
