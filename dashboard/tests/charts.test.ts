import { describe, expect, it } from 'vitest';
import { readParseError, readQueryAnswer } from '../src/lib/charts/answer';
import { fullName, shortNames } from '../src/lib/charts/names';
import { isolated, lastKnown, onGrid, valueRange } from '../src/lib/charts/points';
import { type Ask, askRange, failureOf } from '../src/lib/charts/query';
import {
  LAST_HOUR,
  between,
  isLive,
  onSteps,
  readChartRange,
  readMoment,
  spanOf,
  stepOf,
  writeChartRange,
} from '../src/lib/charts/range';
import { untilStep } from '../src/lib/charts/steps';
import { tableRows } from '../src/lib/charts/table';
import { axisWords, timeWords, valueWords } from '../src/lib/charts/units';
import { Refused } from '../src/lib/api';
import { readTime } from '../src/lib/timerange';

const NOW = 1_795_216_000;
const range = (search: string) => readChartRange(new URLSearchParams(search));

describe('the range in the address', () => {
  it.each([
    ['now', NOW],
    ['now-90s', NOW - 90],
    ['now-5m', NOW - 300],
    ['now - 6h', NOW - 21_600],
    ['now-2d', NOW - 172_800],
    ['now-1w', NOW - 604_800],
    ['1795215000', 1_795_215_000],
    ['1795215000000', 1_795_215_000],
    ['2026-11-20T10:00:00Z', Date.parse('2026-11-20T10:00:00Z') / 1000],
  ])('%s', (text, time) => expect(readMoment(text, NOW)).toBe(time));

  it.each([null, '', 'yesterday', 'now+1h', 'now-h', 'now-1y', '-1h', 'NaN', '1e400', 'now-1h-1h'])(
    'is none of: %s',
    (text) => expect(readMoment(text, NOW)).toBeNull(),
  );

  it('is the last hour without one, and where it cannot be meant', () => {
    for (const search of ['', 'from=x', 'from=now&to=now-1h', 'from=now-1h&to=now-1h', 'to=never'])
      expect(range(search)).toEqual(LAST_HOUR);
    expect(range('from=now-6h')).toEqual({ from: 'now-6h', to: 'now' });
  });

  it('is written as it was read, and not at all where it is the usual one', () => {
    const written = (one: typeof LAST_HOUR) => {
      const parameters = new URLSearchParams();
      writeChartRange(parameters, one);
      return parameters.toString();
    };
    expect(written(LAST_HOUR)).toBe('');
    expect(range(written({ from: 'now-7d', to: 'now-1d' }))).toEqual({ from: 'now-7d', to: 'now-1d' });
  });

  it('moves with the clock unless its end is a time', () => {
    expect(isLive({ from: 'now-1h', to: 'now' })).toBe(true);
    expect(isLive({ from: 'now-1h', to: '1795216000' })).toBe(false);
    expect(spanOf({ from: 'now-1h', to: 'now' }, NOW)).toEqual({ from: NOW - 3600, to: NOW });
  });

  it('is never shorter than two samples, however little was dragged', () => {
    const { from, to } = between({ from: NOW, to: NOW + 1 });
    expect((readTime(to) as number) - (readTime(from) as number)).toBeGreaterThanOrEqual(10);
  });
});

describe('the step', () => {
  it.each([
    [60, 5],
    [900, 5],
    [3600, 15],
    [21_600, 120],
    [86_400, 300],
    [7 * 86_400, 3600],
    [31 * 86_400, 10_800],
    [900 * 86_400, 86_400],
  ])('of %d s', (length, step) => expect(stepOf({ from: NOW - length, to: NOW }, 300)).toBe(step));

  it('lies on the clock, so that a chart drawn again has the same points', () => {
    const later = onSteps({ from: 1003, to: 1903 }, 15);
    expect(later).toEqual({ from: 990, to: 1890 });
    expect(onSteps({ from: 1004, to: 1904 }, 15)).toEqual(later);
    expect(onSteps({ from: 1000, to: 1001 }, 15).to).toBeGreaterThan(
      onSteps({ from: 1000, to: 1001 }, 15).from,
    );
  });

  it('is waited for until its sample is there', () => {
    expect(untilStep(15, 1003)).toBe(3000);
    expect(untilStep(15, 1005)).toBe(16_000);
  });
});

const matrix = (...result: unknown[]) => ({ status: 'success', data: { resultType: 'matrix', result } });

describe('an answer', () => {
  it('has NaN as unknown, and infinities as they are', () => {
    const read = readQueryAnswer(
      matrix({
        metric: { a: 'b', odd: 7 },
        values: [[1, '2.5'], [2, 'NaN'], [3, '+Inf'], [4, ''], 'x', [null, '1']],
      }),
    );
    expect(read?.series).toEqual([
      {
        labels: { a: 'b' },
        samples: [
          [1, 2.5],
          [2, null],
          [3, Infinity],
          [4, null],
        ],
      },
    ]);
  });

  it('may be a vector, a scalar, a text or a histogram', () => {
    const of = (resultType: string, result: unknown) =>
      readQueryAnswer({ status: 'success', data: { resultType, result }, warnings: ['slow'] });
    expect(of('vector', [{ metric: {}, value: [1, '2'] }])?.series[0]?.samples).toEqual([[1, 2]]);
    expect(of('scalar', [1, '7'])?.series[0]?.samples).toEqual([[1, 7]]);
    expect(of('string', [1, 'x'])).toEqual({ series: [], warnings: ['slow'], histograms: 0 });
    expect(of('vector', [{ metric: {}, histogram: [1, {}] }])).toMatchObject({ series: [], histograms: 1 });
  });

  it.each([null, 7, {}, { status: 'error', error: 'x' }, { status: 'success', data: { resultType: 'y' } }])(
    'is none of: %j',
    (value) => expect(readQueryAnswer(value)).toBeNull(),
  );
});

describe('points', () => {
  const series = [
    {
      labels: {},
      samples: [
        [100, 1],
        [105, 2],
        [120, 5],
        [125, Infinity],
      ] as [number, number][],
    },
  ];

  it('have gaps where there was no sample', () => {
    const { times, values } = onGrid(series, { from: 100, to: 130 }, 5);
    expect(times).toEqual([100, 105, 110, 115, 120, 125, 130]);
    expect(values).toEqual([[1, 2, null, null, 5, null, null]]);
    expect(isolated(values[0] ?? [])).toEqual([4]);
    expect(lastKnown(values[0] ?? [])).toBe(5);
    expect(lastKnown([null, null])).toBeNull();
  });

  it('have 0 in sight, the objective too, and room above', () => {
    expect(valueRange(2, 10, null)).toEqual([0, 11]);
    expect(valueRange(2, 10, 20)).toEqual([0, 22]);
    expect(valueRange(0, 0, null)).toEqual([0, 1]);
    expect(valueRange(7, 7, null)[0]).toBe(0);
    expect(valueRange(-5, 5, null)).toEqual([-6, 6]);
    expect(valueRange(1000, 1010, null)[0]).toBeGreaterThan(990);
  });
});

describe('names of series', () => {
  it('tell them apart by the labels that differ', () => {
    expect(
      shortNames(
        [
          { __name__: 'up', job: 'a', x: '1' },
          { __name__: 'up', job: 'b', x: '1' },
        ],
        'Up',
      ),
    ).toEqual(['a', 'b']);
    expect(
      shortNames(
        [
          { node: 'a', reason: 'x' },
          { node: 'b', reason: 'y' },
        ],
        'F',
      ),
    ).toEqual(['node a · reason x', 'node b · reason y']);
    expect(shortNames([{ a: '1' }, {}], 'F')).toEqual(['1', 'no a']);
    expect(shortNames([{}], 'Rate')).toEqual(['Rate']);
    expect(shortNames([{ a: '1' }], 'Rate')).toEqual(['1']);
    expect(shortNames([{ a: '1', b: '2' }], 'Rate')).toEqual(['{a="1", b="2"}']);
    expect(shortNames([{ __name__: 'up', a: '1' }], 'Rate')).toEqual(['up{a="1"}']);
  });

  it('are whole as PromQL has them', () => {
    expect(fullName({ __name__: 'up', job: 'a "b"' })).toBe('up{job="a \\"b\\""}');
    expect(fullName({ __name__: 'up' })).toBe('up');
    expect(fullName({})).toBe('{}');
  });
});

describe('numbers', () => {
  it.each([
    [null, 'fps', '–'],
    [NaN, 'fps', '–'],
    [Infinity, 'fps', '+Inf'],
    [0, 'fps', '0 fps'],
    [148.23, 'fps', '148 fps'],
    [9.876, 'fps', '9.88 fps'],
    [0.01234, '', '0.0123'],
    [0.0000123, '', '1.2e−5'],
    [-12.34, 'fps', '−12.3 fps'],
    [4200, 'frames', '4.2 k frames'],
    [5_000_000, 'bytes', '5 MB'],
    [0.0384, 'seconds', '38.4 ms'],
    [2.5, 'seconds', '2.5 s'],
    [0.00001, 'seconds', '10 µs'],
    [0.004, 'ratio', '0.4 %'],
  ])('%d %s', (value, unit, words) => expect(valueWords(value, unit)).toBe(words));

  it('on an axis share a unit and their decimals', () => {
    expect(axisWords([0, 0.02, 0.04], 0.02, '')).toEqual(['0.00', '0.02', '0.04']);
    expect(axisWords([0, 0.1, 0.2], 0.1, 'seconds')).toEqual(['0 ms', '100 ms', '200 ms']);
    expect(axisWords([0, 500, 1000], 500, 'frames')).toEqual([
      '0.0 k frames',
      '0.5 k frames',
      '1.0 k frames',
    ]);
    expect(axisWords([0, 0.25, 0.5], 0.25, 'ratio')).toEqual(['0 %', '25 %', '50 %']);
  });

  it('of time are of this browser', () => {
    const noon = new Date(2026, 10, 25, 12, 5, 7).getTime() / 1000;
    const midnight = new Date(2026, 10, 26).getTime() / 1000;
    expect(timeWords([noon, midnight], 300)).toEqual(['12:05', '26 Nov']);
    expect(timeWords([noon], 1)).toEqual(['12:05:07']);
  });
});

describe('the table', () => {
  it('has the numbers of the chart, newest first, gaps as gaps', () => {
    const from = new Date(2026, 10, 25, 12).getTime() / 1000;
    const points = { times: [from, from + 5, from + 10], values: [[1, null, 3.14159]] };
    expect(tableRows(points, 'fps', 2).map(({ words, values }) => [words, ...values])).toEqual([
      ['12:00:10', '3.14 fps'],
      ['12:00:05', '–'],
    ]);
    const days = { times: [from, from + 86_400], values: [[1, 2]] };
    expect(tableRows(days, '', 1)[0]?.words).toBe('26 Nov 12:00:00');
  });
});

describe('what went wrong', () => {
  it('is told with the place, where Prometheus names it', () => {
    expect(readParseError('invalid parameter "query": 1:5: parse error: unexpected end of input')).toEqual({
      line: 1,
      column: 5,
      words: 'unexpected end of input',
    });
    expect(readParseError('Prometheus cannot be reached: Connection refused')).toBeNull();
  });

  it('is either the question, or somebody who does not answer', () => {
    expect(failureOf(new Refused(400, 'more than 11000 points: take a longer step'))).toEqual({
      title: 'The query was refused',
      words: 'More than 11000 points: take a longer step.',
      lang: 'en',
      lasting: true,
    });
    expect(failureOf(new Refused(502, 'Prometheus cannot be reached'))).toMatchObject({ lasting: false });
    expect(failureOf(new DOMException('', 'TimeoutError')).title).toBe('No answer in time');
    expect(failureOf(new TypeError('fetch')).title).toBe('The gateway does not answer');
    // No sentence of the gateway's: a proxy in front of it speaks.
    expect(failureOf(new Refused(502)).title).toBe('The gateway does not answer');
  });

  it('is found out before Prometheus is blamed for a silence', async () => {
    const late = new DOMException('', 'TimeoutError');
    /** A gateway that leaves the query without an answer, and answers the second, easy question so. */
    const told = (second: () => Promise<unknown>) =>
      askRange(
        ((path: string) => (path === '/api/metrics' ? second() : Promise.reject(late))) as Ask,
        'up',
        { from: 0, to: 60 },
        5,
        new AbortController().signal,
      ).catch((error: unknown) => failureOf(error).title);
    expect(await told(() => Promise.resolve({}))).toBe('No answer in time');
    const away = { prometheus: { error: 'Prometheus cannot be reached: TimeoutError', since: 5 } };
    expect(await told(() => Promise.resolve(away))).toBe('Prometheus does not answer');
    expect(await told(() => Promise.reject(new Refused(401, 'sign in')))).toBe('No answer in time');
    expect(await told(() => Promise.reject(late))).toBe('The gateway does not answer');
    expect(await told(() => Promise.reject(new Refused(502)))).toBe('The gateway does not answer');
  });
});
