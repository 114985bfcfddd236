/** Series on the steps of one time axis: where there was no sample is a gap. Pure. */

import type { Span } from '../timerange';
import type { QuerySeries } from './answer';

export interface Points {
  /** Unix seconds, one for each step. */
  times: number[];
  /** One list for each series, as long as `times`; `null` is a gap. */
  values: (number | null)[][];
}

export function onGrid(series: readonly QuerySeries[], { from, to }: Span, step: number): Points {
  const count = Math.max(1, Math.floor((to - from) / step + 1e-9) + 1);
  const times = Array.from({ length: count }, (_, index) => from + index * step);
  const values = series.map(({ samples }) => {
    const row = new Array<number | null>(count).fill(null);
    for (const [time, value] of samples) {
      const index = Math.round((time - from) / step);
      if (index >= 0 && index < count && value !== null && Number.isFinite(value)) row[index] = value;
    }
    return row;
  });
  return { times, values };
}

/** Points without a neighbour: no line leads to them, so that they are drawn as dots. */
export function isolated(row: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  for (let index = 0; index < row.length; index += 1)
    if (row[index] != null && row[index - 1] == null && row[index + 1] == null) found.push(index);
  return found;
}

/** The last value of a series, and where it is; `null` when it has none. */
export function lastKnown(row: readonly (number | null)[]): number | null {
  for (let index = row.length - 1; index >= 0; index -= 1) if (row[index] != null) return row[index] ?? null;
  return null;
}

/** The bounds of the vertical axis: the objective is in sight, and 0 too unless all values are far from it. */
export function valueRange(low: number, high: number, objective: number | null): [number, number] {
  const top = Math.max(high, objective ?? high);
  const bottom = Math.min(low, objective ?? low);
  const floor = bottom >= 0 && bottom < 0.8 * top ? 0 : bottom;
  if (top === floor) return top > 0 ? [0, top * 1.15] : [top * 1.15, top === 0 ? 1 : 0];
  const room = (top - floor) * 0.1;
  return [floor === 0 ? 0 : floor - room, top === 0 ? 0 : top + room];
}
