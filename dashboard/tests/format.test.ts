import { describe, expect, it } from 'vitest';
import { clockTime, digits, duration, elapsed, figure, moment, percent, plain } from '../src/lib/format';
import { plural } from '../src/lib/plural';

describe('digits', () => {
  it.each([
    [null, '–'],
    [undefined, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
    [0, '0'],
    [0.004, '<0.1'],
    [-0.004, '−<0.1'],
    [0.05, '0.1'],
    [3.14, '3.1'],
    [9.94, '9.9'],
    [9.96, '10'],
    [42.4, '42'],
    [148.2, '148'],
    [999.4, '999'],
    [999.6, '1.0 k'],
    [1234, '1.2 k'],
    [12_345, '12.3 k'],
    [123_456, '123 k'],
    [999_600, '1.0 M'],
    [5e9, '5.0 G'],
    [-12, '−12'],
  ])('%s is %s', (value, words) => expect(digits(value)).toBe(words));

  it('gives whole things no decimal', () => {
    expect(digits(3, true)).toBe('3');
    expect(digits(1500, true)).toBe('1.5 k');
  });

  it('never has more than three significant digits', () => {
    for (let value = 0.01; value < 1e8; value *= 1.37) {
      const significant = digits(value)
        .replace(/[^0-9]/g, '')
        .replace(/^0+/, '');
      expect(significant.length, `${value} as ${digits(value)}`).toBeLessThanOrEqual(3);
    }
  });
});

it('has a unit always, even without data', () => {
  expect(plain(figure(null, 'fps'))).toBe('–');
  expect(plain(percent(0.004))).toBe('0.4 %');
  expect(plain(percent(null))).toBe('–');
  expect(plain(duration(null))).toBe('–');
});

it('tells durations in ms under a second', () => {
  expect(plain(duration(0.0384))).toBe('38 ms');
  expect(plain(duration(0.9994))).toBe('999 ms');
  expect(plain(duration(0.9996))).toBe('1.0 s');
  expect(plain(duration(12.6))).toBe('13 s');
  expect(plain(duration(0))).toBe('0 ms');
});

it('counts things', () => {
  const faces = (count: number | null) => plural(count, ['# face', '# faces']);
  expect(faces(1)).toBe('1 face');
  expect(faces(0)).toBe('0 faces');
  expect(faces(12_345)).toBe('12,345 faces');
  expect(faces(null)).toBe('– faces');
});

it('counts in languages of one form', () => {
  expect(plural(2, '# 台摄像机', () => 0)).toBe('2 台摄像机');
});

it('tells elapsed time in its largest unit, never negative', () => {
  expect([-5, 9.9, 60, 3599, 3600, 200_000].map(elapsed)).toEqual([
    '0 s',
    '9 s',
    '1 min',
    '59 min',
    '1 h',
    '2 d',
  ]);
});

it('names the day of moments that are not today', () => {
  const now = new Date(2026, 10, 21, 14, 3, 22).getTime() / 1000;
  expect(clockTime(now)).toBe('14:03:22');
  expect(moment(now - 60, now)).toBe('14:02:22');
  expect(moment(now - 86_400, now)).toBe('20 Nov 14:03');
  expect(moment(null, now)).toBe('–');
});
