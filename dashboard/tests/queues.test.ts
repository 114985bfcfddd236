import { describe, expect, it } from 'vitest';
import type { DeadLetterGroupView, DeadLetterOperationView, QueueView } from '../src/lib/contract.gen';
import { readPlace, writePlace } from '../src/lib/address';
import { QUEUES } from '../src/queues/place';
import {
  isShown,
  commands,
  level,
  lookRemark,
  nothingKnown,
  oldest,
  outcome,
  outcomeLevel,
  proposal,
  reasons,
  remark,
  staffed,
  span,
  titled,
  waiting,
  whence,
} from '../src/queues/queues';

const queue = (changes: Partial<QueueView> = {}): QueueView => ({
  name: 'frame_queue',
  purpose: 'lane',
  lane: 'live',
  sender: null,
  messages: 3,
  limit: 5000,
  size_limit: null,
  consumers: 2,
  oldest: 0.12,
  oldest_at_least: false,
  rate_in: 148.2,
  rate_out: 148.1,
  down: null,
  unknown: '',
  ...changes,
});

const NOBODY = staffed([]);

describe('a queue', () => {
  it('is called by what it is for', () => {
    expect(titled(queue())).toBe('Live lane');
    expect(titled(queue({ lane: 'remote', name: 'frame_queue.remote' }))).toBe('Remote lane');
    expect(titled(queue({ purpose: 'sender', sender: 'school' }))).toBe('school, live');
    expect(titled(queue({ purpose: 'retry', name: 'frame_queue.batch.retry.10s', lane: 'batch' }))).toBe(
      'Retries, batch, after 10s',
    );
    expect(titled(queue({ purpose: 'dead_letters', sender: 'school' }))).toBe('Dead letters of school');
  });

  it('that nobody tells of has no numbers, and says why', () => {
    const unknown = queue({
      messages: null,
      consumers: null,
      oldest: null,
      unknown: 'RabbitMQ does not answer',
    });
    expect([waiting(unknown), oldest(unknown), level(unknown)]).toEqual(['–', '–', 'unknown']);
    expect(remark(unknown, NOBODY)).toBe('State unknown: RabbitMQ does not answer.');
    expect(nothingKnown([unknown, unknown])).toBe('RabbitMQ does not answer');
    expect([nothingKnown([unknown, queue()]), nothingKnown([])]).toEqual([null, null]);
    expect(isShown({ ...unknown, purpose: 'retry' })).toBe(false);
    expect(commands('Run `a b` now')).toEqual(['Run ', 'a b', ' now']);
  });

  it('is remarked on when nobody takes from it, when it fills, and when it is down', () => {
    expect(remark(queue(), NOBODY)).toBe('');
    expect(remark(queue({ consumers: 0 }), NOBODY)).toContain('WORKER_LANE=live');
    expect(remark(queue({ consumers: 0, messages: 0 }), NOBODY)).toBe('');
    const lanes = staffed([
      { lane: 'remote', state: 'running' },
      { lane: 'live', state: 'drained' },
      { lane: 'gpu', state: 'lost' },
    ]);
    expect(remark(queue({ consumers: 0, lane: 'remote' }), lanes)).toContain('Models');
    expect(remark(queue({ consumers: 0 }), lanes)).toContain('Nodes');
    expect(remark(queue({ consumers: 0, lane: 'gpu' }), lanes)).toContain('WORKER_LANE=gpu');
    expect(remark(queue({ messages: 2500 }), NOBODY)).toContain('More than half full');
    const down = queue({
      purpose: 'retry',
      messages: null,
      down: 'noproc',
      unknown: 'RabbitMQ cannot use it',
    });
    expect([level(down), isShown(down), remark(down, NOBODY)]).toEqual([
      'bad',
      true,
      'RabbitMQ cannot use it. RabbitMQ said: noproc',
    ]);
  });

  it('says how long its first message waits, or at least', () => {
    expect(oldest(queue())).toBe('<1 s');
    expect(oldest(queue({ oldest: 75, oldest_at_least: true }))).toBe('> 1 min 15 s');
    expect(waiting(queue())).toBe('3 of 5,000');
  });
});

const group = (changes: Partial<DeadLetterGroupView> = {}): DeadLetterGroupView => ({
  group_id: '5d41c7e0ab12',
  reason: 'not_json',
  origin: 'frame_queue',
  sender: null,
  camera_id: 'gate-3',
  count: 12,
  size: 612,
  first: 0,
  last: 0,
  error: null,
  final: true,
  meaning: '',
  remedy: '',
  ...changes,
});

describe('groups', () => {
  it('say where their letters came from and when', () => {
    expect(whence(group({ sender: 'school' }))).toBe('gate-3, from frame_queue, sent by school');
    expect(whence(group({ camera_id: null, origin: null }))).toBe('unknown camera');
    expect(span(0, 3600, 3700)).toBe('between 1 h and 1 min ago');
    expect(span(null, null, 0)).toBe('time unknown');
    expect(
      reasons([group({ count: 1 }), group({ reason: 'crashed', count: 2 }), group({ count: 2 })]),
    ).toEqual([
      ['not_json', 3],
      ['crashed', 2],
    ]);
  });

  it('say how far the look reached', () => {
    const view = { total: 12, looked: 12, most: 10_000, complete: true, time: 0, left_out: 0, items: [] };
    expect(lookRemark(view, 60)).toBe('');
    expect(lookRemark({ ...view, total: 50_000, looked: 10_000, complete: false, left_out: 1 }, 60)).toBe(
      '10,000 of 50,000 were examined, at most 10,000 per queue; 1 smaller group is not listed',
    );
    expect(lookRemark({ ...view, complete: false }, 60)).toBe('state of 1 min ago');
  });
});

describe('an operation', () => {
  const one: DeadLetterOperationView = {
    operation_id: '9c1d22f0a7b3',
    kind: 'replay',
    state: 'done',
    summary: '',
    notes: [],
    count: 12,
    size: 1,
    queues: {},
    lane: null,
    fresh: false,
    by: 'main',
    address: '',
    created: 0,
    started: 0,
    ended: 0,
    done: 12,
    gone: 0,
    trouble: '',
    died_again: null,
  };

  it('is asked for by its letters, and by nothing that is not meant', () => {
    const choice = { lane: 'live', fresh: true };
    expect(proposal({ kind: 'replay', group: 'a' }, choice)).toBe(
      '/api/dlq/operations?kind=replay&group=a&lane=live&fresh=true',
    );
    expect(proposal({ kind: 'purge', reason: 'a&b' }, choice)).toBe(
      '/api/dlq/operations?kind=purge&reason=a%26b',
    );
    expect(proposal({ kind: 'purge', all: true }, choice)).toBe('/api/dlq/operations?kind=purge&all=true');
  });

  it('says how far it came', () => {
    expect(outcome(one)).toBe('12 replayed');
    expect(outcome({ ...one, done: 9, gone: 3 })).toBe('9 of 12 replayed; 3 were already gone');
    const again = { ...one, died_again: 2 };
    expect([outcome(again), outcomeLevel(again)]).toEqual([
      '12 replayed; 2 frames failed again and are dead letters',
      'warning',
    ]);
    const failed = { ...one, kind: 'purge', state: 'failed', done: 3, trouble: 'the queue is full' } as const;
    expect([outcome(failed), outcomeLevel(failed)]).toEqual([
      '3 of 12 purged; failed; the queue is full',
      'bad',
    ]);
    expect(outcomeLevel({ ...one, state: 'running', trouble: 'waits' })).toBe('warning');
  });
});

describe('the address', () => {
  it.each(['/queues', '/queues?reason=not_json', '/queues?group=5d41c7e0ab12&letter=3f7a0c52b1d9'])(
    '%s survives',
    (path) => {
      expect(writePlace(QUEUES, readPlace(QUEUES, new URL(path, 'http://x')))).toBe(path);
    },
  );

  it('names a letter of an open group only, and nothing that is no id', () => {
    expect(writePlace(QUEUES, { reason: '', group: null, letter: '3f7a0c52b1d9' })).toBe('/queues');
    expect(readPlace(QUEUES, new URL('/queues?group=../x', 'http://x'))).toEqual(QUEUES.empty);
  });
});
