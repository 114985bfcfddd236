/** Presence events and pages of them: merging what comes later, and the order in which they are shown. Pure. */

import type { EventView } from '../lib/contract.gen';
import { midnight } from '../lib/timerange';

/** Events, newest first, and the cursor to older ones. */
export interface EventPage {
  items: readonly EventView[];
  next: string | null;
}

/** How many to a page; the gateway gives at most `MOST_AT_ONCE`. */
export const PAGE = 50;
const MOST_AT_ONCE = 500;

export const nameOf = ({ name, camera_id }: EventView): string => name ?? camera_id;

/** Newest start first; of one instant the later recorded first. */
const order = (a: EventView, b: EventView): number => b.start - a.start || b.event_id - a.event_id;

/** How many events of `fresh` are not known yet. */
export function newIn(known: readonly EventView[], fresh: EventPage): number {
  const ids = new Set(known.map(({ event_id }) => event_id));
  return fresh.items.filter(({ event_id }) => !ids.has(event_id)).length;
}

/** Known events as `fresh` tells them now; none comes or goes. */
export function update(known: readonly EventView[], fresh: EventPage): readonly EventView[] {
  const byId = new Map(fresh.items.map((event) => [event.event_id, event]));
  return known.map((event) => byId.get(event.event_id) ?? event);
}

/**
 * The list with a newly fetched first page in place of what that page covers. Where the page does not reach down to
 * what is known, there is a gap that nobody has seen: then the list begins anew with the page.
 */
export function refresh(known: EventPage, fresh: EventPage): EventPage {
  const last = fresh.items.at(-1);
  if (last === undefined || fresh.next === null) return fresh;
  const ids = new Set(fresh.items.map(({ event_id }) => event_id));
  const older = known.items.filter((event) => order(event, last) > 0);
  if (older.length === known.items.length || older.length === 0) return fresh;
  return { items: [...fresh.items, ...older.filter(({ event_id }) => !ids.has(event_id))], next: known.next };
}

/** The list with a page of older events. */
export function append(known: EventPage, page: EventPage): EventPage {
  const ids = new Set(known.items.map(({ event_id }) => event_id));
  return {
    items: [...known.items, ...page.items.filter(({ event_id }) => !ids.has(event_id))],
    next: page.next,
  };
}

/** How many events the first page must have to tell how every open one goes on. */
export function refreshSize(known: readonly EventView[]): number {
  const last = known.findLastIndex(({ open }) => open);
  return Math.min(MOST_AT_ONCE, Math.max(PAGE, last + 1));
}

export interface Day {
  /** When it begins. */
  time: number;
  events: EventView[];
}

/** By the day of their start, in this browser's time zone; order is kept. */
export function byDay(events: readonly EventView[]): Day[] {
  const days: Day[] = [];
  for (const event of events) {
    const time = midnight(event.start);
    const day = days.at(-1);
    if (day?.time === time) day.events.push(event);
    else days.push({ time, events: [event] });
  }
  return days;
}

/** The event that a key leads to from number `index`, where days of these `sizes` begin a new row of `columns` each. */
export function neighbourAmongDays(
  key: string,
  index: number,
  sizes: readonly number[],
  columns: number,
): number {
  const last = sizes.reduce((sum, size) => sum + size, 0) - 1;
  const vertical = key === 'ArrowUp' ? -1 : key === 'ArrowDown' ? 1 : 0;
  if (vertical !== 0) {
    // Rows of all days, each as its first event's number and its length.
    const rows: [number, number][] = [];
    let first = 0;
    for (const size of sizes) {
      for (let begin = 0; begin < size; begin += columns)
        rows.push([first + begin, Math.min(columns, size - begin)]);
      first += size;
    }
    const row = rows.findIndex(([begin, length]) => index >= begin && index < begin + length);
    const [here, there] = [rows[row], rows[row + vertical]];
    return here === undefined || there === undefined
      ? index
      : there[0] + Math.min(index - here[0], there[1] - 1);
  }
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, index - 1);
    case 'ArrowRight':
      return Math.min(last, index + 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return index;
  }
}
