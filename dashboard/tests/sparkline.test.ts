import { expect, it } from 'vitest';
import { heightOf, nearest, scaleTop, sparkPath } from '../src/lib/sparkline';

const SCALE = { from: 0, to: 100, width: 100, height: 40, top: 10 };

it('leaves room above values and objective', () => {
  expect(
    scaleTop(
      [
        [
          [0, 5],
          [1, null],
        ],
      ],
      null,
    ),
  ).toBeCloseTo(5.75);
  expect(scaleTop([[[0, 5]]], 20)).toBeCloseTo(23);
  expect(scaleTop([], 0)).toBe(1);
});

it('draws zero at the bottom and never leaves the box', () => {
  expect(heightOf(0, SCALE)).toBe(40);
  expect(heightOf(10, SCALE)).toBe(0);
  expect(heightOf(99, SCALE)).toBe(0);
  expect(heightOf(-5, SCALE)).toBe(40);
});

it('interrupts the line where data is missing', () => {
  expect(
    sparkPath(
      [
        [0, 0],
        [10, 5],
        [20, null],
        [30, 10],
      ],
      SCALE,
      10,
    ),
  ).toBe('M0.00 40.00L10.00 20.00M30.00 0.00');
  expect(
    sparkPath(
      [
        [0, 0],
        [80, 5],
      ],
      SCALE,
      10,
    ),
  ).toBe('M0.00 40.00M80.00 20.00');
});

it('leaves out what is outside the span', () => {
  expect(
    sparkPath(
      [
        [-5, 1],
        [50, 5],
        [101, 3],
      ],
      SCALE,
      10,
    ),
  ).toBe('M50.00 20.00');
  expect(sparkPath([], SCALE, 10)).toBe('');
});

it('finds the point under the pointer', () => {
  expect(
    nearest(
      [
        [0, 1],
        [10, null],
        [20, 3],
      ],
      11,
    ),
  ).toEqual([20, 3]);
  expect(nearest([[0, null]], 0)).toBeNull();
});
