import { describe, expect, it } from 'vitest';
import {
  describeBounds,
  midnight,
  readLocal,
  readTime,
  startOf,
  stepFor,
  stripSpan,
  tickWords,
  ticks,
  writeLocal,
  writeTime,
} from '../src/lib/timerange';

const local = (day: number, hour = 0, minute = 0, second = 0) =>
  new Date(2026, 10, day, hour, minute, second).getTime() / 1000;
const NOW = local(25, 14, 3, 22);

describe('times in links', () => {
  it.each([
    ['1795618800', 1795618800],
    ['1795618800.5', 1795618800.5],
    ['2026-11-25T15:00:00Z', Date.UTC(2026, 10, 25, 15) / 1000],
    ['2026-11-25T16:00:00+01:00', Date.UTC(2026, 10, 25, 15) / 1000],
    ['', null],
    [null, null],
    ['yesterday', null],
    ['-1', null],
    ['1e99', null],
  ])('%s is %s', (text, time) => expect(readTime(text)).toBe(time));

  it('are written so that both people and programs read them', () => {
    const time = Date.UTC(2026, 10, 25, 15, 4, 5) / 1000;
    expect(writeTime(time)).toBe('2026-11-25T15:04:05Z');
    expect(readTime(writeTime(time + 0.4))).toBe(time);
  });

  it('are local in date fields', () => {
    expect(writeLocal(NOW)).toBe('2026-11-25T14:03');
    expect(readLocal(writeLocal(NOW))).toBe(local(25, 14, 3));
    expect(writeLocal(null)).toBe('');
    expect(readLocal('')).toBeNull();
  });
});

describe('ranges', () => {
  it('end now', () => {
    expect(startOf('1h', NOW)).toBe(NOW - 3600);
    expect(startOf('7d', NOW)).toBe(NOW - 604_800);
    expect(startOf('today', NOW)).toBe(local(25));
  });

  it('are told in words', () => {
    expect(describeBounds({ from: local(25, 14), to: local(25, 15, 30) })).toBe('25 Nov 14:00 – 15:30');
    expect(describeBounds({ from: local(24, 22), to: local(25, 6) })).toBe('24 Nov 22:00 – 25 Nov 06:00');
    expect(describeBounds({ from: local(24, 22), to: null })).toBe('since 24 Nov 22:00');
    expect(describeBounds({ from: null, to: local(24, 22) })).toBe('until 24 Nov 22:00');
    expect(describeBounds({ from: null, to: null })).toBe('');
  });

  it('know the days around', () => {
    expect(midnight(NOW)).toBe(local(25));
    expect(midnight(NOW, -1)).toBe(local(24));
    expect(midnight(NOW, 6)).toBe(new Date(2026, 11, 1).getTime() / 1000);
  });
});

describe('the strip', () => {
  it('shows a day where nothing is chosen', () => {
    expect(stripSpan({ from: null, to: null }, NOW)).toEqual({ from: NOW - 86_400, to: NOW });
    expect(stripSpan({ from: null, to: 500_000 }, NOW)).toEqual({ from: 413_600, to: 500_000 });
    expect(stripSpan({ from: NOW - 60, to: null }, NOW)).toEqual({ from: NOW - 60, to: NOW });
  });

  it('is never empty, even of a time to come', () => {
    const { from, to } = stripSpan({ from: NOW + 3600, to: null }, NOW);
    expect(to).toBeGreaterThan(from);
  });

  it.each([
    [60, 60],
    [3600, 60],
    [86_400, 600],
    [604_800, 7200],
    [86_400 * 365 * 10, 86_400],
  ])('of %s s has bars of %s s', (length, step) => expect(stepFor({ from: 0, to: length })).toBe(step));

  it('is marked on whole steps of the clock', () => {
    const span = { from: local(25, 13, 7), to: local(25, 14, 7) };
    expect(ticks(span, 5).map((time) => tickWords(time, span))).toEqual(['13:15', '13:30', '13:45', '14:00']);
    const week = { from: local(18, 14), to: local(25, 14) };
    expect(ticks(week, 8).map((time) => tickWords(time, week))).toEqual([
      '19 Nov',
      '20 Nov',
      '21 Nov',
      '22 Nov',
      '23 Nov',
      '24 Nov',
      '25 Nov',
    ]);
  });

  it.each([2, 5, 9])('has at most %s marks, and some', (most) => {
    for (let length = 600; length < 86_400 * 400; length *= 3.7) {
      const found = ticks({ from: NOW - length, to: NOW }, most);
      expect(found.length).toBeLessThanOrEqual(most + 1);
      for (const time of found) expect(time >= NOW - length && time <= NOW).toBe(true);
    }
  });
});
