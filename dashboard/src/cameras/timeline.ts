/** Where stretches of time lie in a strip, in percent of its width. Pure. */

import type { Span } from '../lib/timerange';

export interface Part {
  left: number;
  width: number;
}

/** The part of the strip that `from` to `to` takes; `null` where it lies outside. `to` `null`: it goes on. */
export function partOf({ from, to }: { from: number; to: number | null }, span: Span): Part | null {
  const [begin, end] = [Math.max(from, span.from), Math.min(to ?? span.to, span.to)];
  const length = span.to - span.from;
  if (end < begin || end < span.from || begin > span.to || length <= 0) return null;
  return { left: ((begin - span.from) / length) * 100, width: ((end - begin) / length) * 100 };
}

/** How long each state lasted within the span, as shares of what is known of it, the longest first. */
export function shares<State extends string>(
  stretches: readonly { state: State; from: number; to: number | null }[],
  span: Span,
): [State, number][] {
  const seconds = new Map<State, number>();
  let known = 0;
  for (const { state, from, to } of stretches) {
    const length = Math.min(to ?? span.to, span.to) - Math.max(from, span.from);
    if (length <= 0) continue;
    known += length;
    seconds.set(state, (seconds.get(state) ?? 0) + length);
  }
  return [...seconds]
    .map(([state, length]): [State, number] => [state, length / known])
    .sort(([, a], [, b]) => b - a);
}
