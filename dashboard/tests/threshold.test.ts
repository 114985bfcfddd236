import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compared } from '../src/alerts/threshold';

describe('what a rule compares', () => {
  it.each([
    ['max(a{q="x > 5"}) > 5 * 60', [['max(a{q="x > 5"})', '>', 300]]],
    ['up{job="a"} == 0', [['up{job="a"}', '==', 0]]],
    ['-1 < a', [['a', '>', -1]]],
    ['(a > bool 1e3)', [['a', '>', 1000]]],
    ['(a / b > 0.5) and on (i) sum(c) > 0', [['a / b', '>', 0.5]]],
    ['min(a) == 0 unless on (c) max(b) == 1', [['min(a)', '==', 0]]],
    [
      'a > 1 or b{x="y"} > 20',
      [
        ['a', '>', 1],
        ['b{x="y"}', '>', 20],
      ],
    ],
    ['a > 2 * b', [['a', null, null]]],
    ['absent(a)', [['absent(a)', null, null]]],
    ['a + 1', [['a + 1', null, null]]],
    ['a >', [['a >', null, null]]],
    ['', [['', null, null]]],
  ])('%s', async (expression, parts) => {
    const found = await compared(expression);
    expect(found.map(({ expr, operator, threshold }) => [expr, operator, threshold])).toEqual(parts);
  });

  it('finds a number in most of our own rules, and something to draw in each', async () => {
    const folder = new URL('../../deploy/prometheus/rules/', import.meta.url);
    const rules = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .flatMap((text) =>
        [...text.matchAll(/- alert:.*\n\s+expr: (?!\|)(.+)/g)].map((found) => found[1] ?? ''),
      );
    expect(rules.length).toBeGreaterThan(20);
    const drawn = await Promise.all(rules.map(compared));
    expect(drawn.every((parts) => parts.length > 0 && parts.every(({ expr }) => expr !== ''))).toBe(true);
    const numbers = drawn.filter((parts) => parts.every(({ threshold }) => threshold !== null));
    expect(numbers.length / rules.length).toBeGreaterThan(0.7);
  });
});
