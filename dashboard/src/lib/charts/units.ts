/** Values of charts and tables with their units: three significant digits, and `–` where there is no data. Pure. */

import { type Figure, NONE, dayMonth, fixed, written } from '../format';
import { two, wall } from '../localtime';

/** `seconds`, `bytes` and `ratio` are scaled; any other word stands behind the number as it is. */
export type Unit = 'seconds' | 'bytes' | 'ratio' | (string & {});

interface Scale {
  factor: number;
  unit: string;
}

const THOUSANDS: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** The prefix and unit in which a value of that size is read best. */
function scaleFor(size: number, unit: Unit): Scale {
  if (unit === 'ratio') return { factor: 100, unit: '%' };
  if (unit === 'seconds') {
    if (size === 0 || size >= 0.9995) return { factor: 1, unit: 's' };
    return size < 0.0009995 ? { factor: 1e6, unit: 'µs' } : { factor: 1000, unit: 'ms' };
  }
  const word = unit === 'bytes' ? 'B' : unit;
  const [thousand, letter] = THOUSANDS.find(([least]) => size >= least * 0.9995) ?? [1, ''];
  // `4.2 MB`, but `4.2 k frames`.
  return {
    factor: 1 / thousand,
    unit: unit === 'bytes' ? letter + word : [letter, word].filter(Boolean).join(' '),
  };
}

const minus = (text: string): string => text.replaceAll('-', '−');

/** Three significant digits at most, without zeros that say nothing. */
function significant(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.0005) return minus(value.toExponential(1));
  if (size >= 99.95) return minus(fixed(value, 0));
  return minus(written(value, { maximumSignificantDigits: 3, useGrouping: false }));
}

export function valueFigure(value: number | null | undefined, unit: Unit): Figure {
  if (value === null || value === undefined || Number.isNaN(value)) return { number: NONE, unit: '' };
  if (!Number.isFinite(value)) return { number: value > 0 ? '+Inf' : '−Inf', unit: '' };
  const scale = scaleFor(Math.abs(value), unit);
  return { number: significant(value * scale.factor), unit: scale.unit };
}

export function valueWords(value: number | null | undefined, unit: Unit): string {
  const { number, unit: word } = valueFigure(value, unit);
  return word === '' ? number : `${number} ${word}`;
}

/** Marks of the vertical axis: all in one unit, and with as many decimals as tell them apart. */
export function axisWords(marks: readonly number[], increment: number, unit: Unit): string[] {
  const scale = scaleFor(Math.max(0, ...marks.map(Math.abs)), unit);
  let decimals = 0;
  const step = increment * scale.factor;
  while (decimals < 9 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6)
    decimals += 1;
  return marks.map((mark) => {
    const number = minus(fixed(mark * scale.factor, decimals)).replace(/^−0([.,]0*)?$/, '0$1');
    return scale.unit === '' ? number : `${number} ${scale.unit}`;
  });
}

/** Marks of the time axis, in the chosen time zone: `14:05`, with seconds where they matter, days beyond. */
export function timeWords(marks: readonly number[], increment: number): string[] {
  return marks.map((mark) => {
    const date = wall(mark);
    const midnight = date.getUTCHours() === 0 && date.getUTCMinutes() === 0 && date.getUTCSeconds() === 0;
    if (increment >= 86_400 || (midnight && increment >= 60)) return dayMonth(mark);
    const minute = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    return increment < 60 ? `${minute}:${two(date.getUTCSeconds())}` : minute;
  });
}
