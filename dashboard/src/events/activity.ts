/** The activity strip's arithmetic: frames with detections over time. Times are Unix seconds. Pure. */

import { plural } from '../lib/plural';
import type { ActivityPointView, ActivityView } from '../lib/contract.gen';
import { exactly } from '../lib/format';
import { type Span, describeBounds } from '../lib/timerange';

/** Bars from 0 to 1 of the strip's width and height. */
export interface Bar {
  x: number;
  width: number;
  height: number;
}

/** A bar that is there is seen, however small. */
const LEAST = 0.06;

export function bars({ step, items }: ActivityView, { from, to }: Span): Bar[] {
  const most = Math.max(1, ...items.map((item) => item.with_detections));
  const length = to - from;
  return items
    .filter(({ time, with_detections }) => with_detections > 0 && time + step > from && time < to)
    .map(({ time, with_detections }) => {
      const [left, right] = [Math.max(from, time), Math.min(to, time + step)];
      return {
        x: (left - from) / length,
        width: (right - left) / length,
        height: Math.max(LEAST, with_detections / most),
      };
    });
}

/** The bar at a time, as its span; bars begin at whole steps of Unix time. */
export function barAt(time: number, step: number, { from, to }: Span): Span {
  const begin = Math.floor(Math.max(from, Math.min(to - 1, time)) / step) * step;
  return { from: begin, to: begin + step };
}

/** The span from the earlier of two bars, or of a bar and a choice, to the later. */
export const together = (one: Span, other: Span): Span => ({
  from: Math.min(one.from, other.from),
  to: Math.max(one.to, other.to),
});

/** The bar after `bar` (before it, for -1), or `bar` itself at the edges. */
export function nextBar(bar: Span, by: number, step: number, { from, to }: Span): Span {
  const begin = bar.from + by * step;
  return begin + step <= from || begin >= to ? bar : { from: begin, to: begin + step };
}

/** Describes a part of the strip in words. */
export function describePart({ step, items }: ActivityView, part: Span): string {
  const inside = items.filter(({ time }) => time + step > part.from && time < part.to);
  const seen = inside.reduce((sum, item) => sum + item.with_detections, 0);
  const expired = inside.reduce((sum, item) => sum + item.expired, 0);
  const faces = Math.max(0, ...inside.map((item) => item.faces));
  const parts = [
    seen === 0 ? 'no detections' : plural(seen, ['# frame with detections', '# frames with detections']),
    seen === 0 ? '' : plural(faces, ['at most # face', 'at most # faces']),
    expired === 0 ? '' : `${exactly(expired)} dropped or expired`,
  ];
  return `${describeBounds(part)}: ${parts.filter(Boolean).join(', ')}`;
}

/** Describes the whole strip in words, for people who do not see it. */
export function summarise(activity: ActivityView, span: Span): string {
  const whole = describePart(activity, span);
  const busiest = activity.items.reduce<ActivityPointView | null>(
    (best, item) => (item.with_detections > (best?.with_detections ?? 0) ? item : best),
    null,
  );
  if (busiest === null) return `${whole}.`;
  return `${whole}. Busiest: ${describeBounds({ from: busiest.time, to: busiest.time + activity.step })}.`;
}
