import { describe, expect, it } from 'vitest';
import {
  CAMERA_ID,
  readActivityView,
  readEventsView,
  readHistoryView,
  readMetricsView,
  readModelsView,
  readProblemView,
  readSessionView,
  readStatusView,
} from '../src/lib/contract.gen';
import { boolean, list, number, one, point, positive, record, string, text } from '../src/lib/values';

describe('single values', () => {
  const odd = [undefined, null, NaN, Infinity, -Infinity, {}, [], [1], '', '1', true, () => 1, 5n];

  it('are numbers only where they are finite ones', () => {
    expect([0, -1.5, 1e308].map(number)).toEqual([0, -1.5, 1e308]);
    expect(number(JSON.parse('1e999'))).toBeNull();
    expect(odd.map(number)).toEqual(odd.map(() => null));
    expect([0, -1, 2].map(positive)).toEqual([null, null, 2]);
  });

  it('are text only where they are', () => {
    expect(['', 'a', 7, null, ['a']].map(string)).toEqual(['', 'a', null, null, null]);
    expect(['', 'a', 7, null, ['a']].map(text)).toEqual([null, 'a', null, null, null]);
    expect([true, false, 'true', 1, null].map(boolean)).toEqual([true, false, null, null, null]);
  });

  it('are of a few only where they are the same', () => {
    expect(['a', 'A', ['a'], 'toString', null].map((value) => one(value, ['a', 'b']))).toEqual([
      'a',
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('lists and records', () => {
  it('keep what is good', () => {
    expect(list([1, 'a', null, 2], number)).toEqual([1, 2]);
    expect(record({ a: 1, b: 'x', c: 3 }, number)).toEqual({ a: 1, c: 3 });
  });

  it.each([undefined, null, 7, 'ab', { length: 2 }])('are none: %s', (value) =>
    expect(list(value, number)).toBeNull(),
  );
  it.each([undefined, null, 7, 'ab', [1]])('are none: %s', (value) =>
    expect(record(value, number)).toBeNull(),
  );

  it('take a name for no more than a name', () => {
    const read = record(JSON.parse('{"__proto__": 5, "constructor": 6}'), number);
    expect(Object.entries(read ?? {})).toEqual([
      ['__proto__', 5],
      ['constructor', 6],
    ]);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it('are points where there are a time and a value', () => {
    expect([[1, 2], [1, null], [1, 'a'], [null, 2], [1], [1, 2, 3], 5].map(point)).toEqual([
      [1, 2],
      [1, null],
      [1, null],
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('answers', () => {
  const METRICS = {
    processingRate: 1,
    avgLatency: null,
    queueDepth: 0,
    latency: { p50: 1, p95: null, p99: 'x' },
    notComputed: null,
    errors: 0,
    failedByReason: { empty: 1, crashed: 'many' },
    nodes: [{ node_id: 'a', fps: 1, busy: null, p95: null }, null, { fps: 1 }],
    workers: 1,
    starting: false,
    source: {
      processingRate: 'gateway',
      avgLatency: 'gateway',
      queueDepth: 'gateway',
      latency: 'gateway',
      notComputed: 'gateway',
      errors: 'prometheus',
      nodes: 'gateway',
    },
    time: 5,
    objectives: { latencyP95: 0.5 },
    later: 'ignored',
  };

  it('lose what is malformed in them, and what is not known', () => {
    const read = readMetricsView(METRICS);
    expect(read).toMatchObject({
      latency: { p50: 1, p95: null, p99: null },
      failedByReason: { empty: 1 },
      nodes: [{ node_id: 'a' }],
      objectives: { latencyP95: 0.5, queueDepth: 300, notComputed: 0.01, errors: 0 },
    });
    expect(read).not.toHaveProperty('later');
  });

  it.each(['latency', 'workers', 'starting', 'source', 'time'])('are none without their %s', (field) => {
    expect(readMetricsView({ ...METRICS, [field]: undefined })).toBeNull();
    expect(readMetricsView({ ...METRICS, [field]: 'x' })).toBeNull();
  });

  it.each([null, [], 'x', 7, {}, { items: {} }, { models: 1 }])('are none at all: %s', (value) => {
    const readers = [readActivityView, readEventsView, readHistoryView, readModelsView, readSessionView];
    expect(readers.map((read) => read(value))).toEqual(readers.map(() => null));
  });

  it('have series of points', () => {
    const series = { errors: [[1, 2], [2, null], 'x'], queueDepth: 7 };
    expect(readHistoryView({ step: 15, source: 'gateway', series, queries: {} })?.series).toEqual({
      errors: [
        [1, 2],
        [2, null],
      ],
    });
  });

  it('say what is missing, and what is wrong', () => {
    expect(readStatusView({ status: 'ready' })?.missing).toEqual([]);
    expect(readStatusView({ status: 'not ready', missing: ['a', 7] })?.missing).toEqual(['a']);
    expect(readProblemView({ error: 'why' })).toEqual({ error: 'why' });
    expect(readProblemView({ error: '' })).toBeNull();
  });
});

it('knows how cameras are named', () => {
  expect(['gate-3', 'A_b', 'a'.repeat(64)].every((id) => CAMERA_ID.test(id))).toBe(true);
  expect(['', 'a.b', 'a b', 'ä', 'a\n', 'a'.repeat(65)].some((id) => CAMERA_ID.test(id))).toBe(false);
});
