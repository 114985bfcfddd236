/**
 * Numbers as people read them: at most three significant digits, one decimal under 10, a unit always, and `–`
 * where there is no data.
 */

import { instant, sameDay, two, wall } from './localtime';

export const NONE = '–';

/** A number and its unit, apart, since they are set in different sizes. */
export interface Figure {
  number: string;
  unit: string;
}

type Value = number | null | undefined;

const missing = (value: Value): value is null | undefined =>
  value === null || value === undefined || !Number.isFinite(value);

const PREFIXES: readonly [number, string][] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** `whole` numbers (frames, faces) never get a decimal under 1,000. */
export function digits(value: Value, whole = false): string {
  if (missing(value)) return NONE;
  const sign = value < 0 ? '−' : '';
  const size = Math.abs(value);
  // 999.5 rounds to 1,000, which is 1.0 k.
  for (const [unit, letter] of PREFIXES) {
    if (size >= unit * 0.9995) {
      const scaled = size / unit;
      return `${sign}${scaled < 99.95 ? scaled.toFixed(1) : scaled.toFixed(0)} ${letter}`;
    }
  }
  if (whole || size === 0 || size >= 9.95) return sign + size.toFixed(0);
  // A small rate is not nothing.
  if (size < 0.05) return `${sign}<0.1`;
  return sign + size.toFixed(1);
}

export const figure = (value: Value, unit: string, whole = false): Figure => ({
  number: digits(value, whole),
  unit,
});

/** Seconds, as milliseconds under one second. */
export function duration(seconds: Value): Figure {
  if (missing(seconds)) return { number: NONE, unit: 'ms' };
  const milliseconds = seconds * 1000;
  if (milliseconds < 999.5) return { number: digits(milliseconds, true), unit: 'ms' };
  return { number: digits(seconds), unit: 's' };
}

/** A ratio (0 to 1) in percent. */
export const percent = (ratio: Value): Figure => figure(missing(ratio) ? null : ratio * 100, '%');

/** In words, such as `38 ms`; a number without data has no unit either. */
export const plain = ({ number, unit }: Figure): string => (number === NONE ? NONE : `${number} ${unit}`);

/** Cameras and the like, exactly: 999 of 1,000 is not all of them, and 1.0 k would hide it. */
export const exactly = (value: number): string => value.toLocaleString('en');

/** `1 face`, `2 faces`, `– faces`. */
export const count = (value: Value, one: string, many = `${one}s`): string =>
  `${digits(value, true)} ${value === 1 ? one : many}`;

/** How long, in its largest unit: `9 s`, `4 min`, `3 h`, `2 d`. */
export function elapsed(seconds: Value): string {
  if (missing(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/** How long something took, in two units at most: `<1 s`, `18 s`, `2 min 5 s`, `1 h 3 min`, `2 d 4 h`. */
export function length(seconds: Value): string {
  if (missing(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  const pair = (large: number, one: string, small: number, other: string) =>
    `${Math.floor(whole / large)} ${one}${Math.floor((whole % large) / small) === 0 ? '' : ` ${Math.floor((whole % large) / small)} ${other}`}`;
  if (whole < 1) return '<1 s';
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(60, 'min', 1, 's');
  if (whole < 86400) return pair(3600, 'h', 60, 'min');
  return pair(86400, 'd', 3600, 'h');
}

/** `14:03:22`, in the chosen time zone. */
export function clockTime(unixSeconds: Value): string {
  if (missing(unixSeconds)) return NONE;
  const date = wall(unixSeconds);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:03:22`, or `20 Nov 14:03` when it was not today. */
export function moment(unixSeconds: Value, now: number): string {
  if (missing(unixSeconds)) return NONE;
  if (sameDay(unixSeconds, now)) return clockTime(unixSeconds);
  const date = wall(unixSeconds);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `Today, 25 Nov`, `Yesterday, 24 Nov`, `Monday, 23 Nov`, with the year where it is another. */
export function dayTitle(unixSeconds: number, now: number): string {
  const [date, today] = [wall(unixSeconds), wall(now)];
  const yesterday = instant(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - 1);
  const plainDate = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (sameDay(unixSeconds, now)) return `Today, ${plainDate}`;
  if (sameDay(unixSeconds, yesterday)) return `Yesterday, ${plainDate}`;
  const year = date.getUTCFullYear() === today.getUTCFullYear() ? '' : ` ${date.getUTCFullYear()}`;
  return `${WEEKDAYS[date.getUTCDay()]}, ${plainDate}${year}`;
}
