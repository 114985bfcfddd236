/** Spans of time as people choose them. Times are Unix seconds; days are those of the chosen zone. Pure. */

import { dayAndTime, dayMonth } from './format';
import { instant, sameDay, wall } from './localtime';

/** Ranges that end now; their names are as in the address. */
export const RANGE_NAMES = ['1h', 'today', '24h', '7d'] as const;
export type RangeName = (typeof RANGE_NAMES)[number];

export const RANGES: Record<RangeName, string> = {
  '1h': 'last hour',
  today: /* @wc-include */ 'today',
  '24h': '24 hours',
  '7d': '7 days',
};

/** Bounds of a range; `null` where that end is open. */
export interface Bounds {
  from: number | null;
  to: number | null;
}

export interface Span {
  from: number;
  to: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** The beginning of the day of `time`, or of the day `days` later. */
export function midnight(time: number, days = 0): number {
  const date = wall(time);
  return instant(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + days);
}

export function startOf(range: RangeName, now: number): number {
  if (range === 'today') return midnight(now);
  return now - { '1h': HOUR, '24h': DAY, '7d': 7 * DAY }[range];
}

/** The span of the activity strip: between the bounds, or the day up to their end where the beginning is open. */
export function stripSpan({ from, to }: Bounds, now: number): Span {
  const end = to ?? Math.max(now, (from ?? 0) + 60);
  return { from: from ?? end - DAY, to: end };
}

/** Lengths that people know how to read; all are multiples of a minute, as the gateway asks. */
const STEPS = [60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY];
/** More bars than this are no longer told apart. */
const BARS = 150;

/** Seconds to a bar. */
export function stepFor({ from, to }: Span): number {
  return STEPS.find((step) => (to - from) / step <= BARS) ?? DAY;
}

/** `2026-11-25T14:00:00Z`: readable in a link. */
export const writeTime = (time: number): string =>
  new Date(Math.round(time) * 1000).toISOString().replace('.000Z', 'Z');

/** What a time looks like in an address. */
export const TIME = /^(\d{1,11}(\.\d+)?|\d{4}-\d\d-\d\dT\S+)$/;

/** Unix seconds or RFC 3339, as in the gateway's interface; `null` for anything else. */
export function readTime(text: string | null): number | null {
  if (text === null || text === '') return null;
  const seconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\dT/.test(text)
      ? (readLocal(text) ?? Date.parse(text) / 1000)
      : Number.NaN;
  return Number.isFinite(seconds) && Math.abs(seconds) < 1e11 ? seconds : null;
}

/** The value of an `<input type="datetime-local">`, in the chosen time zone. */
export function writeLocal(time: number | null): string {
  if (time === null) return '';
  return wall(time).toISOString().slice(0, 16);
}

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/;

/** A day and time without a zone, such as those inputs have: local time. `null` for anything else. */
export function readLocal(value: string): number | null {
  const parts = LOCAL.exec(value);
  // Whether there is such a day and time, the browser says.
  if (parts === null || Number.isNaN(Date.parse(`${value}Z`))) return null;
  const [year = 0, month = 1, day = 1, ...clock] = parts.slice(1).map((part) => Number(part ?? 0));
  return instant(year, month - 1, day, ...clock);
}

const hourMinute = (time: number) => wall(time).toISOString().slice(11, 16);

/** `25 Nov 14:00 – 15:30`, `24 Nov 22:00 – 25 Nov 06:00`, `since 25 Nov 14:00`, `until 25 Nov 15:30`. */
export function describeBounds({ from, to }: Bounds): string {
  if (from !== null && to !== null)
    return `${dayAndTime(from)} – ${sameDay(from, to) ? hourMinute(to) : dayAndTime(to)}`;
  if (from !== null) return `since ${dayAndTime(from)}`;
  return to !== null ? `until ${dayAndTime(to)}` : '';
}

/** A mark below the strip: the time within a day, the date beyond. */
export function tickWords(time: number, { from, to }: Span): string {
  return to - from > 2 * DAY ? dayMonth(time) : hourMinute(time);
}

/** Times for marks below the strip, at most `most`, on whole steps of the local clock. */
export function ticks(span: Span, most: number): number[] {
  const lengths = [
    60,
    300,
    600,
    900,
    1800,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
  ];
  const length = lengths.find((one) => (span.to - span.from) / one <= most) ?? 3650 * DAY;
  const found: number[] = [];
  const base = midnight(span.from);
  // Days are stepped by the calendar: not all of them have 24 hours.
  for (let index = Math.max(0, Math.floor((span.from - base) / length) - 1); ; index += 1) {
    const time = length >= DAY ? midnight(span.from, (index * length) / DAY) : base + index * length;
    if (time > span.to) return found;
    if (time >= span.from) found.push(time);
  }
}
