import { describe, expect, it } from 'vitest';
import {
  type EventPage,
  append,
  byDay,
  neighbourAmongDays,
  newIn,
  refresh,
  refreshSize,
  update,
} from '../src/events/events';
import { event, page } from './helpers';

const ids = ({ items }: EventPage) => items.map(({ event_id }) => event_id);

describe('a newly fetched first page', () => {
  it('replaces what it covers and keeps what is older', () => {
    const known = page([5, 4, 3, 2, 1], 'c1');
    const fresh = page([7, 6, 5, 3], 'c3'); // 4 is gone: it no longer matches
    expect(ids(refresh(known, fresh))).toEqual([7, 6, 5, 3, 2, 1]);
    expect(refresh(known, fresh).next).toBe('c1');
  });

  it('is all there is where it has no cursor', () => {
    expect(refresh(page([5, 4], 'c'), page([6], null))).toEqual(page([6], null));
    expect(refresh(page([5, 4], null), page([], null))).toEqual(page([], null));
  });

  it('begins the list anew where it does not reach down to it', () => {
    expect(refresh(page([3, 2, 1], 'c1'), page([9, 8, 7], 'c7'))).toEqual(page([9, 8, 7], 'c7'));
  });

  it('brings a cursor where the list was whole and no longer is', () => {
    expect(refresh(page([2, 1], null), page([3, 2, 1], 'c1')).next).toBe('c1');
    expect(refresh(page([], null), page([3, 2], 'c2')).next).toBe('c2');
  });

  it('tells how known ones go on, and how many are new', () => {
    const known = page([3, 2], null).items;
    const fresh: EventPage = { items: [event(4), event(3, { open: true, faces: 9 })], next: null };
    expect(newIn(known, fresh)).toBe(1);
    expect(update(known, fresh).map(({ event_id, faces }) => [event_id, faces])).toEqual([
      [3, 9],
      [2, 1],
    ]);
  });
});

it('appends older ones once', () => {
  expect(append(page([5, 4], 'c4'), page([4, 3], 'c3'))).toEqual(page([5, 4, 3], 'c3'));
});

it('looks as far down as events are open, within bounds', () => {
  const list = (length: number, open: number[]) =>
    Array.from({ length }, (_, n) => event(1000 - n, { open: open.includes(n) }));
  expect(refreshSize([])).toBe(50);
  expect(refreshSize(list(200, [3]))).toBe(50);
  expect(refreshSize(list(200, [3, 120]))).toBe(121);
  expect(refreshSize(list(900, [800]))).toBe(500);
});

describe('days', () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime() / 1000;

  it('hold the events that began on them, in order', () => {
    const events = [
      event(4, { start: at(25, 9) }),
      event(3, { start: at(25, 0) }),
      event(2, { start: at(24, 23) }),
      event(1, { start: at(20, 1) }),
    ];
    expect(
      byDay(events).map(({ time, events: items }) => [time, items.map(({ event_id }) => event_id)]),
    ).toEqual([
      [at(25, 0), [4, 3]],
      [at(24, 0), [2]],
      [at(20, 0), [1]],
    ]);
  });

  // 0 1 2 | 3 4 and, on the day before, 5 6 7 | 8
  it.each([
    ['ArrowRight', 0, 1],
    ['ArrowRight', 8, 8],
    ['ArrowLeft', 5, 4],
    ['ArrowDown', 1, 4],
    ['ArrowDown', 2, 4],
    ['ArrowDown', 4, 6],
    ['ArrowDown', 8, 8],
    ['ArrowUp', 7, 4],
    ['ArrowUp', 5, 3],
    ['ArrowUp', 2, 2],
    ['Home', 7, 0],
    ['End', 0, 8],
    ['x', 3, 3],
  ])('%s leads from %s to %s', (key, from, to) => expect(neighbourAmongDays(key, from, [5, 4], 3)).toBe(to));
});
