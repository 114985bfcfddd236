import { describe, expect, it } from 'vitest';
import { dayTitle, length } from '../src/lib/format';
import { Sequence } from '../src/shell/keys';
import { confidenceWords } from '../src/lib/score';
import { suggest } from '../src/events/suggestions';

describe('cameras to choose from', () => {
  const cameras = [
    { id: 'cam-1', name: 'South gate' },
    { id: 'gate-2', name: 'Harbour' },
    { id: 'cam-3', name: 'Roof' },
  ];
  const ids = (typed: string, chosen: string[] = [], most = 8) =>
    suggest(typed, chosen, cameras, most).map(({ id }) => id);

  it('are found by name or id, beginnings first', () =>
    expect(ids('GATE')).toEqual(['gate-2', 'cam-1', 'GATE']));
  it('are all where nothing is typed, but no more than asked for', () => {
    expect(ids('')).toEqual(['cam-1', 'gate-2', 'cam-3']);
    expect(ids('', [], 2)).toEqual(['cam-1', 'gate-2']);
  });
  it('leave out those that are chosen', () => expect(ids('cam', ['cam-1'])).toEqual(['cam-3', 'cam']));
  it('may be ones that are gone', () => {
    expect(ids('cam-9')).toEqual(['cam-9']);
    expect(ids('cam-9', ['cam-9'])).toEqual([]);
    expect(ids('cam-3')).toEqual(['cam-3']);
    expect(ids('no name')).toEqual([]);
  });
});

describe('two keys one after the other', () => {
  it('belong together for a moment', () => {
    const keys = new Sequence('g');
    expect(keys.second('e', 0)).toBeNull();
    expect(keys.begins('g', 0)).toBe(true);
    expect(keys.second('e', 500)).toBe('e');
    expect(keys.second('e', 600)).toBeNull();
    expect(keys.begins('g', 1000)).toBe(true);
    expect(keys.second('e', 9000)).toBeNull();
  });
});

it('tells how long something took', () => {
  expect([0, 0.4, 18.2, 59.6, 60, 125, 3600, 3780, 90_000, null].map(length)).toEqual([
    '<1 s',
    '<1 s',
    '18 s',
    '1 min',
    '1 min',
    '2 min 5 s',
    '1 h',
    '1 h 3 min',
    '1 d 1 h',
    '–',
  ]);
});

it('names days', () => {
  const at = (year: number, month: number, day: number, hour = 12) =>
    new Date(year, month, day, hour).getTime() / 1000;
  const now = at(2026, 10, 25, 1);
  expect(dayTitle(at(2026, 10, 25, 0), now)).toBe('Today, 25 Nov');
  expect(dayTitle(at(2026, 10, 24), now)).toBe('Yesterday, 24 Nov');
  expect(dayTitle(at(2026, 10, 23), now)).toBe('Monday 23 Nov');
  expect(dayTitle(at(2025, 11, 31), now)).toBe('Wednesday, 31 Dec 2025');
});

it('tells confidences in percent, other scores as they are', () => {
  expect([0.934, 1, 0, 7.3].map(confidenceWords)).toEqual(['93 %', '100 %', '0 %', '7.3']);
});
