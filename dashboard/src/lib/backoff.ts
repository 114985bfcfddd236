/** The wait before the next try: exponential, capped, jittered. */

export interface BackoffOptions {
  /** Milliseconds. */
  first: number;
  most: number;
}

/**
 * Milliseconds before try number `attempt` (from 0). Between half and all of the exponential step, so that a
 * hundred walls do not come back to a restarted gateway in the same instant, and none hammers it.
 */
export function backoff(
  attempt: number,
  random: () => number = Math.random,
  { first, most }: BackoffOptions = { first: 500, most: 15_000 },
): number {
  const step = Math.min(most, first * 2 ** Math.min(Math.max(0, attempt), 30));
  return step / 2 + (step / 2) * random();
}
