import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../src/lib/address';
import type { NodesView, WorkerView } from '../src/lib/contract.gen';
import { NODES } from '../src/nodes/place';
import { type Column, ariaSort, pressed, sorted } from '../src/nodes/sorting';
import { allDrained, condition, consequence, gist, memory, tooMuch, versions } from '../src/nodes/words';

const worker = (changes: Partial<WorkerView> = {}): WorkerView => ({
  node_id: 'n',
  state: 'running',
  lane: 'live',
  model: 'yunet@eb',
  detector: 'yunet',
  fallback: null,
  fps: 12,
  busy: 0.5,
  since: 0,
  last_seen: 1000,
  model_error: null,
  drain: null,
  version: '1',
  host: 'h',
  memory: 231_400_000,
  p95: null,
  lacks: [],
  without: { workers: 2, capacity: 31.2, load: 24 },
  ...changes,
});
const DRAIN = { since: 1000, by: 'main' };

describe('what draining leaves', () => {
  it.each([
    [
      { workers: 2, capacity: 31.2, load: 24 },
      'Remaining in the lane live: 2 workers, about 31 frames per second. Load now: 24 frames per second.',
      false,
    ],
    [
      { workers: 1, capacity: 12, load: 24 },
      'Remaining in the lane live: 1 worker, about 12 frames per second. Load now: 24 frames per second. The remaining capacity is too small: frames will wait or expire.',
      true,
    ],
    [
      { workers: 1, capacity: null, load: 0 },
      'Remaining in the lane live: 1 worker, capacity not known yet. Load now: 0 frames per second.',
      false,
    ],
    [
      { workers: 0, capacity: 0, load: 24 },
      'No other worker takes frames of the lane live. Load now: 24 frames per second. Without this worker they wait, and expire after two seconds.',
      true,
    ],
  ])('%j', (without, words, much) => {
    expect(consequence({ lane: 'live', without })).toBe(words);
    expect(tooMuch({ without })).toBe(much);
  });

  it('lets batch frames wait', () => {
    expect(consequence({ lane: 'batch', without: { workers: 0, capacity: 0, load: 1 } })).toMatch(
      /they wait\.$/,
    );
  });
});

describe('how a worker is', () => {
  it.each([
    [worker(), 'good', 'running', null],
    [worker({ lacks: ['no GPU', 'no file'] }), 'warning', 'running', 'no GPU; no file'],
    [
      worker({ drain: DRAIN }),
      'unknown',
      'running',
      /^drained since .* by main; the worker is being notified$/,
    ],
    [
      worker({ state: 'draining', drain: DRAIN }),
      'unknown',
      'draining',
      /finishes its frames, takes no more$/,
    ],
    [worker({ state: 'draining' }), 'unknown', 'draining', 'finishes its frame and stops'],
    [worker({ state: 'drained', drain: { since: 0, by: null } }), 'unknown', 'drained', /^drained since/],
    [worker({ state: 'lost' }), 'bad', 'lost', /^last heard at .*, 9 s ago$/],
    [worker({ state: 'lost', drain: DRAIN }), 'bad', 'lost', /stays drained if it returns$/],
    [worker({ state: 'unknown' }), 'unknown', 'unknown', /no broker/],
  ])('%#', (each, level, word, note) => {
    const is = condition(each, 1009);
    expect([is.level, is.word]).toEqual([level, word]);
    if (note instanceof RegExp) expect(is.note).toMatch(note);
    else expect(is.note).toBe(note);
  });

  it('is counted', () => {
    const all = [worker(), worker({ drain: DRAIN }), worker({ state: 'lost' })];
    expect(gist(all, null)).toBe('1 of 3 working, 1 drained, 1 lost');
    expect(gist(all.slice(0, 1), 2)).toBe('1 of 2 working');
    expect(gist([worker({ state: 'unknown' })], 1)).toBe('0 of 1 working, 1 unknown');
    expect(gist([worker(), worker()], 1)).toBe('2 of 2 working');
  });

  it('is missed where all are drained, and lost ones do not count', () => {
    expect(allDrained([worker({ drain: DRAIN }), worker({ state: 'lost' })])).toBe(true);
    expect(allDrained([worker({ drain: DRAIN }), worker()])).toBe(false);
    expect(allDrained([worker({ state: 'lost' })])).toBe(false);
  });
});

it('counts versions of those that are heard, the most frequent first', () => {
  const nodes: NodesView = {
    items: [worker({ version: '2' }), worker({ version: '2' }), worker({ version: '0', state: 'lost' })],
    expected: null,
    producers: [],
    gateways: [
      {
        gateway_id: 'g',
        own: true,
        state: 'running',
        since: 0,
        last_seen: 0,
        version: '1',
        host: '',
        memory: null,
        missing: [],
      },
    ],
    absent: [],
  };
  expect(versions(nodes)).toEqual([
    ['2', 2],
    ['1', 1],
  ]);
});

it('writes bytes for people', () => {
  expect([memory(231_400_000), memory(null)]).toEqual(['231 MB', '–']);
});

describe('sorting', () => {
  const NAME: Column<WorkerView> = { name: 'worker', title: 'Worker', value: ({ node_id }) => node_id };
  const RATE: Column<WorkerView> = { name: 'p95', title: 'p95', value: ({ p95 }) => p95, numeric: true };
  const rows = [
    worker({ node_id: 'n10', p95: 2 }),
    worker({ node_id: 'n9' }),
    worker({ node_id: 'n1', p95: 1 }),
  ];
  const names = (sort: string) => sorted(rows, [NAME, RATE], sort).map(({ node_id }) => node_id);

  it('orders names as people do, figures by size, and what is not known last', () => {
    expect(names('worker')).toEqual(['n1', 'n9', 'n10']);
    expect(names('-worker')).toEqual(['n10', 'n9', 'n1']);
    expect(names('p95')).toEqual(['n1', 'n10', 'n9']);
    expect(names('-p95')).toEqual(['n10', 'n1', 'n9']);
    expect(names('odd')).toEqual(['n10', 'n9', 'n1']);
  });

  it('goes one way, the other, and back', () => {
    expect([pressed(NAME, ''), pressed(NAME, 'worker'), pressed(NAME, '-worker')]).toEqual([
      'worker',
      '-worker',
      '',
    ]);
    expect([pressed(RATE, 'worker'), pressed(RATE, '-p95'), pressed(RATE, 'p95')]).toEqual([
      '-p95',
      'p95',
      '',
    ]);
    expect([ariaSort('p95', '-p95'), ariaSort('p95', 'p95'), ariaSort('p95', '')]).toEqual([
      'descending',
      'ascending',
      'none',
    ]);
  });

  it.each(['/nodes', '/nodes?workers=-fps', '/nodes?workers=busy&producers=-cameras'])(
    '%s survives',
    (path) => {
      expect(writePlace(NODES, readPlace(NODES, new URL(path, 'http://x')))).toBe(path);
    },
  );

  it('ignores what no column can be called', () => {
    expect(readPlace(NODES, new URL('/nodes?workers=<b>', 'http://x'))).toEqual(NODES.empty);
  });
});
