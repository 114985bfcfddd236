/** Times in sentences of the services, which say them in UTC, in this browser's zone like all others here. Pure. */

import { two } from './format';

const MOMENT = /(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(?:UTC|Z)\b/g;

const clock = (date: Date, seconds: boolean): string =>
  `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ''}`;

/** `now` (Unix seconds) is of the day that a time without one is near. */
export function inLocalTime(sentence: string, now: number): string {
  return sentence.replace(MOMENT, (whole, day: string | undefined, time: string) => {
    const seconds = time.length > 5;
    const full = seconds ? time : `${time}:00`;
    const date = new Date(`${day ?? new Date(now * 1000).toISOString().slice(0, 10)}T${full}Z`);
    if (Number.isNaN(date.getTime())) return whole;
    if (day === undefined) return clock(date, seconds);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date, seconds)}`;
  });
}

/** This browser's zone as people write it: `Asia/Ho_Chi_Minh (UTC+07:00)`. */
export function zoneName(at: Date = new Date()): string {
  const minutes = -at.getTimezoneOffset();
  const size = Math.abs(minutes);
  const offset = `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  return name === undefined || name === 'UTC' ? offset : `${name} (${offset})`;
}
