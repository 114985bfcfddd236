/**
 * The wall clock that people read: of the zone chosen in the settings, else of this browser. Whatever shows a time, or
 * reads one that somebody typed, does it by this module. Times are Unix seconds.
 */

import { zone } from './zone.svelte';

export const two = (value: number): string => String(value).padStart(2, '0');

/** Seconds. No zone changes its clock within it. */
const QUARTER = 900;
/** So many are worth remembering; a page shows a few days at a time. */
const MOST = 10_000;

let offsets = new Map<number, number>();
let clock: Intl.DateTimeFormat | null = null;
let known = '';

/** Seconds that the wall clock is ahead of UTC at `time`. */
export function offsetAt(time: number): number {
  if (!Number.isFinite(time)) return 0;
  const chosen = zone.value;
  if (chosen === '') return -new Date(time * 1000).getTimezoneOffset() * 60;
  if (chosen !== known || clock === null || offsets.size > MOST) {
    known = chosen;
    offsets = new Map();
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: chosen,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', era: 'short' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  }
  const quarter = Math.floor(time / QUARTER) * QUARTER;
  let offset = offsets.get(quarter);
  if (offset === undefined) {
    offset = offsetOf(clock, quarter);
    offsets.set(quarter, offset);
  }
  return offset;
}

function offsetOf(format: Intl.DateTimeFormat, time: number): number {
  const parts = Object.fromEntries(
    format.formatToParts(new Date(time * 1000)).map(({ type, value }) => [type, value]),
  );
  const part = (name: string) => Number(parts[name]);
  const year = parts['era'] === 'BC' ? 1 - part('year') : part('year');
  const wall = Date.UTC(year, part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall / 1000 - time;
}

/** A date whose UTC parts (`getUTCHours()` and so on) are what the wall clock shows at `time`. */
export const wall = (time: number): Date => new Date((time + offsetAt(time)) * 1000);

/** The time at which the wall clock shows these; months count from 0, and days may be beyond their month. */
export function instant(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const shown = Date.UTC(year, month, day, hour, minute, second) / 1000;
  const first = shown - offsetAt(shown);
  const time = shown - offsetAt(first);
  // In an hour that a change of the clock leaves out, the clock before the change counts, as in browsers.
  return time + offsetAt(time) === shown ? time : Math.max(first, time);
}

export const sameDay = (one: number, other: number): boolean => dayOf(one) === dayOf(other);

const dayOf = (time: number): number => Math.floor((time + offsetAt(time)) / 86_400);

/** The zone's name for Intl: `Asia/Ho_Chi_Minh`. */
export const zoneId = (): string => zone.value || Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** The zone as people write it: `Asia/Ho_Chi_Minh (UTC+07:00)`. */
export function zoneName(at: number = Date.now() / 1000): string {
  const minutes = Math.round(offsetAt(at) / 60);
  const size = Math.abs(minutes);
  const offset = `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const name = zoneId();
  return name === 'UTC' ? offset : `${name} (${offset})`;
}

const MOMENT = /(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(?:UTC|Z)\b/g;

/** A service's sentence, which says times in UTC, with local ones. A time without a day is of that of `now`, in UTC. */
export function inLocalTime(sentence: string, now: number): string {
  return sentence.replace(MOMENT, (whole, day: string | undefined, time: string) => {
    const seconds = time.length > 5;
    const full = seconds ? time : `${time}:00`;
    const at = Date.parse(`${day ?? new Date(now * 1000).toISOString().slice(0, 10)}T${full}Z`) / 1000;
    if (Number.isNaN(at)) return whole;
    const local = wall(at).toISOString();
    const shown = local.slice(11, seconds ? 19 : 16);
    return day === undefined ? shown : `${local.slice(0, 10)} ${shown}`;
  });
}
