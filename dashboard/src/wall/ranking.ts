/** Trouble first: the order of cameras by their state. Pure but for what it remembers of the last seconds. */

import type { CameraState } from '../lib/protocol';

/** Smaller is earlier. States that are not here come last, together: they need nobody. */
const RANKS: Partial<Record<CameraState, number>> = { offline: 0, stalled: 1, degraded: 2 };
const CALM = 3;

/** Milliseconds that a camera keeps its place after its trouble: one that comes and goes must not jump about. */
const HOLD = 10_000;

export class Ranking {
  #held = new Map<string, { rank: number; until: number }>();

  /**
   * The cameras in trouble, the gravest first, and the others; each in the order in which they came.
   * `now` is in local milliseconds.
   */
  split(
    ids: readonly string[],
    stateOf: (id: string) => CameraState,
    now: number,
  ): { trouble: string[]; calm: string[] } {
    const ranked: string[][] = [[], [], [], []];
    for (const id of ids) ranked[this.#rank(id, stateOf(id), now)]?.push(id);
    return { trouble: ranked.slice(0, CALM).flat(), calm: ranked[CALM] ?? [] };
  }

  #rank(id: string, state: CameraState, now: number): number {
    const rank = RANKS[state] ?? CALM;
    const held = this.#held.get(id);
    if (rank < CALM && (held === undefined || rank <= held.rank || held.until <= now)) {
      this.#held.set(id, { rank, until: now + HOLD });
      return rank;
    }
    if (held === undefined) return rank;
    if (held.until > now) return held.rank;
    this.#held.delete(id);
    return rank;
  }
}
