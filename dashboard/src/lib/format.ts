/**
 * Numbers as people read them: at most three significant digits, one decimal under 10, a unit always, and `–`
 * where there is no data.
 */

import { instant, sameDay, two, wall } from './localtime';
import { intlLocale } from './locale';

export const NONE = '–';

const formats = new Map<string, Intl.NumberFormat>();

/** A number as the language writes it; formatters are slow to make, so each is made once. */
export function written(value: number, options: Intl.NumberFormatOptions = {}): string {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(intlLocale(), options);
    formats.set(key, format);
  }
  return format.format(value);
}

/** With exactly so many decimals. */
export const fixed = (value: number, decimals: number): string =>
  written(value, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    useGrouping: false,
  });

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
      return `${sign}${scaled < 99.95 ? fixed(scaled, 1) : fixed(scaled, 0)} ${letter}`;
    }
  }
  if (whole || size === 0 || size >= 9.95) return sign + fixed(size, 0);
  // A small rate is not nothing.
  if (size < 0.05) return `${sign}<${fixed(0.1, 1)}`;
  return sign + fixed(size, 1);
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
export const exactly = (value: number): string => written(value);

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
  const of = (large: number, small: number) => [
    Math.floor(whole / large),
    Math.floor((whole % large) / small),
  ];
  if (whole < 1) return '<1 s';
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) {
    const [minutes, rest] = of(60, 1);
    return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  }
  if (whole < 86400) {
    const [hours, minutes] = of(3600, 60);
    return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  }
  const [days, hours] = of(86400, 3600);
  return hours === 0 ? `${days} d` : `${days} d ${hours} h`;
}

/** `14:03:22`, in the chosen time zone. */
export function clockTime(unixSeconds: Value): string {
  if (missing(unixSeconds)) return NONE;
  const date = wall(unixSeconds);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

const dates = new Map<string, Intl.DateTimeFormat>();

/** A day as the language writes it, in the chosen time zone. */
function dated(unixSeconds: number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let format = dates.get(key);
  if (format === undefined) {
    // The wall clock's time stands in the date's UTC parts.
    format = new Intl.DateTimeFormat(intlLocale(), { ...options, timeZone: 'UTC' });
    dates.set(key, format);
  }
  return format.format(wall(unixSeconds));
}

const DAY_MONTH = { day: 'numeric', month: 'short' } as const;
const HOUR_MINUTE = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

/** `20 Nov`. */
export const dayMonth = (unixSeconds: number): string => dated(unixSeconds, DAY_MONTH);

/** `20 Nov 14:03`, with `:22` where `seconds` are asked for. */
export const dayAndTime = (unixSeconds: number, seconds = false): string =>
  dated(unixSeconds, { ...DAY_MONTH, ...HOUR_MINUTE, ...(seconds ? { second: '2-digit' } : {}) }).replace(
    ', ',
    ' ',
  );

/** `14:03:22`, or `20 Nov 14:03` when it was not today. */
export function moment(unixSeconds: Value, now: number): string {
  if (missing(unixSeconds)) return NONE;
  return sameDay(unixSeconds, now) ? clockTime(unixSeconds) : dayAndTime(unixSeconds);
}

/** `Today, 25 Nov`, `Yesterday, 24 Nov`, `Monday 23 Nov`, with the year where it is another. */
export function dayTitle(unixSeconds: number, now: number): string {
  const [date, today] = [wall(unixSeconds), wall(now)];
  const yesterday = instant(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - 1);
  if (sameDay(unixSeconds, now)) return `Today, ${dayMonth(unixSeconds)}`;
  if (sameDay(unixSeconds, yesterday)) return `Yesterday, ${dayMonth(unixSeconds)}`;
  const year = date.getUTCFullYear() === today.getUTCFullYear() ? {} : ({ year: 'numeric' } as const);
  return dated(unixSeconds, { weekday: 'long', ...DAY_MONTH, ...year });
}
