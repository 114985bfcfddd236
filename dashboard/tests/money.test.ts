import { describe, expect, it } from 'vitest';
import type { RemoteView, SpentView } from '../src/lib/contract.gen';
import {
  budgetLevel,
  budgetWords,
  callsOf,
  camerasOf,
  dollars,
  sharesOf,
  standing,
  valueOf,
} from '../src/models/money';

const spent = (changes: Partial<SpentView> = {}): SpentView => ({
  period: '2026-11-30',
  spent: 3,
  uncertain: 0.5,
  reserved: 0.5,
  limit: 5,
  calls: 100,
  frames: 90,
  ...changes,
});

const lane = (changes: Partial<RemoteView> = {}): RemoteView => ({
  state: 'open',
  reason: '',
  waiting: 0,
  workers: [],
  day: spent(),
  month: spent(),
  warned: false,
  warning: '',
  raised: {},
  ...changes,
});

const worker = (state: 'open' | 'waiting' | 'held', held_by = ''): RemoteView['workers'][number] => ({
  node_id: 'r-1',
  endpoint: 'api.example.org',
  model: 'small',
  state,
  held_by,
  reason: '',
  concurrency: 10,
  calls: 1,
  errors: 0,
  frame_most: 0.001,
  prices_changed: null,
});

const series = (labels: Record<string, string>, value: number | null) => ({
  labels,
  samples: [[1, value]] as [number, number | null][],
});
const answer = (...found: ReturnType<typeof series>[]) => ({ series: found, warnings: [], histograms: 0 });

describe('money', () => {
  it.each([
    [null, '–'],
    [0, '$0.00'],
    [4.9812, '$4.98'],
    [1203.4, '$1,203.40'],
    [0.0143, '$0.0143'],
    [0.00078, '$0.00078'],
    [0.5, '$0.50'],
    [0.999, '$1.00'],
    [1e-9, '<$0.000001'],
  ])('%s is %s', (value, words) => {
    expect(dollars(value)).toBe(words);
  });

  it('counts what is uncertain and reserved against a budget', () => {
    expect(sharesOf(spent())).toEqual({ spent: 0.6, uncertain: 0.1, reserved: 0.1, all: 0.8 });
    expect(budgetWords(spent())).toBe('$4.00 of $5.00');
    expect(budgetWords(spent({ limit: null }))).toBe('$4.00, no budget');
  });

  it('never fills more than the bar', () => {
    const shares = sharesOf(spent({ limit: 2 }));
    expect((shares?.spent ?? 0) + (shares?.uncertain ?? 0) + (shares?.reserved ?? 0)).toBeCloseTo(1);
    expect(shares?.all).toBe(2);
  });

  it.each([
    [{ limit: null }, 'unknown'],
    [{ limit: 10 }, 'good'],
    [{ limit: 5 }, 'warning'],
    [{ limit: 4.05 }, 'bad'],
    [{ limit: 0 }, 'bad'],
    [{ limit: 0, spent: 0, uncertain: 0, reserved: 0 }, 'good'],
  ])('%j is %s', (changes, level) => {
    expect(budgetLevel(sharesOf(spent(changes)))).toBe(level);
  });
});

describe('what holds the lane', () => {
  it.each([
    [lane({ workers: [worker('open')] }), 'good', null],
    [lane({ workers: [worker('waiting')] }), 'warning', null],
    [lane({ workers: [worker('open'), worker('held', 'books')] }), 'warning', null],
    [lane({ state: 'paused' }), 'warning', 'resume'],
    [lane({ state: 'held', workers: [worker('held', 'budget')] }), 'bad', 'raise'],
    [lane({ state: 'held', workers: [worker('held', 'breaker')] }), 'bad', null],
    [lane({ state: 'held', workers: [worker('held', 'something new')] }), 'bad', null],
  ] as const)('%#', (view, level, remedy) => {
    expect(standing(view)).toMatchObject({ level, remedy });
  });
});

describe('the last hour', () => {
  it('is unknown without an answer, and without series', () => {
    expect(callsOf(null)).toBeNull();
    expect(callsOf(answer())).toBeNull();
    expect(valueOf(answer())).toBeNull();
    expect(valueOf(answer(series({}, null)))).toBeNull();
  });

  it('has calls that failed, and not those that were told to come later', () => {
    expect(
      callsOf(
        answer(
          series({ outcome: 'ok' }, 90.2),
          series({ outcome: 'throttled' }, 5),
          series({ outcome: 'timeout' }, 3),
          series({ outcome: 'denied' }, 2),
        ),
      ),
    ).toEqual({ all: 100, failed: 5 });
  });

  it('names the dearest camera first, and none that cost nothing', () => {
    expect(
      camerasOf(
        answer(
          series({ camera_id: 'gate-1' }, 0.2),
          series({ camera_id: 'gate-2' }, 3),
          series({ camera_id: 'gate-3' }, 0),
          series({}, 9),
        ),
      ),
    ).toEqual([
      ['gate-2', 3],
      ['gate-1', 0.2],
    ]);
  });
});
