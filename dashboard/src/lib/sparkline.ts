/** A sparkline's arithmetic: points in a box `width` x `height`, gaps where there is no data. */

import type { Point, Series } from './api';
import type { Size } from './letterbox';

/** Seconds that sparklines span. */
export const SPAN = 900;

export interface Scale extends Size {
  /** Unix seconds at the left and right edge. */
  from: number;
  to: number;
  /** The value at the top edge; the bottom is 0. */
  top: number;
}

/** The top of the scale: room above the highest value and the objective, which is always in sight. */
export function scaleTop(series: Series[], objective: number | null): number {
  let highest = objective ?? 0;
  for (const one of series)
    for (const [, value] of one) if (value !== null && value > highest) highest = value;
  return highest > 0 ? highest * 1.15 : 1;
}

export const heightOf = (value: number, { top, height }: Scale): number =>
  height - (Math.max(0, Math.min(top, value)) / top) * height;

/** An SVG path. A missing point, or a hole longer than three steps, interrupts it. */
export function sparkPath(series: Series, scale: Scale, step: number): string {
  let path = '';
  let last: number | null = null;
  for (const [time, value] of series) {
    if (value === null || time < scale.from || time > scale.to) {
      if (value === null) last = null;
      continue;
    }
    const x = ((time - scale.from) / (scale.to - scale.from)) * scale.width;
    const joined = last !== null && time - last <= step * 3;
    path += `${joined ? 'L' : 'M'}${x.toFixed(2)} ${heightOf(value, scale).toFixed(2)}`;
    last = time;
  }
  return path;
}

/** The point nearest to a time, or `null` when none has a value. */
export function nearest(series: Series, time: number): Point | null {
  let best: Point | null = null;
  for (const point of series) {
    if (point[1] === null) continue;
    if (best === null || Math.abs(point[0] - time) < Math.abs(best[0] - time)) best = point;
  }
  return best;
}
