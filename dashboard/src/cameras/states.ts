/** What a camera's state means. Pure. */

import type { StateChangeView } from '../lib/contract.gen';
import type { Level } from '../lib/health';

export type LoggedState = StateChangeView['state'];

const LEVELS: Partial<Record<LoggedState, Level>> = {
  live: 'good',
  offline: 'bad',
  degraded: 'warning',
  stalled: 'warning',
  connecting: 'warning',
};

export const levelOf = (state: LoggedState): Level => LEVELS[state] ?? 'unknown';

/** A stretch of time in one state, Unix seconds; `to` is `null` for the one that lasts. */
export interface Stretch {
  state: LoggedState;
  reason: string | null;
  from: number;
  to: number | null;
}

/**
 * Changes, newest first, as the stretches between them, newest first. Of several at one moment (a gateway that has its
 * broker again learns them at once) the last one counts: the others lasted no time.
 */
export function stretches(changes: readonly StateChangeView[]): Stretch[] {
  return changes
    .map(({ state, reason, time }, index) => ({
      state,
      reason,
      from: time,
      to: changes[index - 1]?.time ?? null,
    }))
    .filter(({ from, to }) => to === null || to > from);
}
