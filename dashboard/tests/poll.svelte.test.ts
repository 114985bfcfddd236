import { flushSync } from 'svelte';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Reader, Refused } from '../src/lib/api';
import { type Poll, poll } from '../src/lib/poll.svelte';

const EVERY = 2_000;

/** So much of a page as the module asks for: its tab may be hidden. */
vi.stubGlobal('document', new EventTarget());
beforeAll(() => () => void vi.unstubAllGlobals());

interface Question {
  path: string;
  signal: AbortSignal;
  answer: (value: unknown) => void;
  fail: (error: unknown) => void;
}

let asked: Question[];
let stop: () => void;

const gateway = {
  now: 0,
  ask: <T>(path: string, read: Reader<T>, signal: AbortSignal) =>
    new Promise<T>((answer, fail) => {
      asked.push({ path, signal, answer: (value) => answer(read(value) as T), fail });
    }),
};

const asIs = (value: unknown) => value as number;

/** Polls as a component does that is mounted now. */
function mounted(path: string | (() => string | null), ms: number | (() => number) = EVERY): Poll<number> {
  let made: Poll<number> | undefined;
  stop = $effect.root(() => {
    made = poll(gateway, path, asIs, ms);
  });
  flushSync();
  return made as Poll<number>;
}

const last = () => asked.at(-1) as Question;

async function settle() {
  await vi.advanceTimersByTimeAsync(0);
  flushSync();
}

function show(visibilityState: 'visible' | 'hidden') {
  Object.assign(document, { visibilityState });
  document.dispatchEvent(new Event('visibilitychange'));
  flushSync();
}

describe('poll', () => {
  beforeEach(() => {
    asked = [];
    vi.useFakeTimers();
    show('visible');
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it('asks more seldom as soon as the state says so, and keeps what it knows', async () => {
    let open = $state(true);
    const job = mounted('/api/jobs/1', () => (open ? EVERY : 10 * EVERY));
    last().answer(1);
    await settle();
    open = false;
    flushSync();
    expect(asked).toHaveLength(2);
    expect(job.value).toBe(1);
    last().answer(2);
    await settle();
    await vi.advanceTimersByTimeAsync(9 * EVERY);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2 * EVERY);
    expect(asked).toHaveLength(3);
  });

  it('asks at once, and again some time after the answer, never twice at a time', async () => {
    const nodes = mounted('/api/nodes');
    expect(nodes.value).toBeNull();
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveLength(1);
    last().answer(7);
    await settle();
    expect(nodes.value).toBe(7);
    await vi.advanceTimersByTimeAsync(EVERY - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map(({ path }) => path)).toEqual(['/api/nodes', '/api/nodes']);
  });

  it('keeps the last answer while later questions fail, and says why they do', async () => {
    const nodes = mounted('/api/nodes');
    last().answer(7);
    await settle();
    const at = nodes.at;
    await vi.advanceTimersByTimeAsync(EVERY);
    last().fail(new Refused(503, 'RabbitMQ does not answer'));
    await settle();
    expect([nodes.value, nodes.error, nodes.at]).toEqual([7, 'RabbitMQ does not answer', at]);
    await vi.advanceTimersByTimeAsync(EVERY);
    last().fail(new TypeError('Failed to fetch'));
    await settle();
    expect(nodes.error).toBe('the gateway does not answer');
    await vi.advanceTimersByTimeAsync(EVERY);
    last().answer(8);
    await settle();
    expect([nodes.value, nodes.error]).toEqual([8, null]);
  });

  it('forgets the answer when its path changes, and takes none that comes late for the old one', async () => {
    let path = $state<string | null>('/api/queues?group=1');
    const group = mounted(() => path);
    const first = last();
    path = '/api/queues?group=2';
    flushSync();
    expect(first.signal.aborted).toBe(true);
    first.answer(1);
    await settle();
    expect(group.value).toBeNull();
    last().answer(2);
    await settle();
    expect(group.value).toBe(2);
    path = null;
    flushSync();
    expect(group.value).toBeNull();
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveLength(2);
  });

  it('asks nothing while the tab is hidden, and at once when it is shown', async () => {
    mounted('/api/nodes');
    last().answer(7);
    await settle();
    show('hidden');
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveLength(1);
    show('visible');
    expect(asked).toHaveLength(2);
  });

  it('asks at once after a change, and leaves the answer until the next is there', async () => {
    const nodes = mounted('/api/nodes');
    last().answer(7);
    await settle();
    nodes.again();
    flushSync();
    expect(asked).toHaveLength(2);
    expect(nodes.value).toBe(7);
  });

  it('stops with its component', async () => {
    mounted('/api/nodes');
    stop();
    expect(last().signal.aborted).toBe(true);
    last().answer(7);
    await vi.advanceTimersByTimeAsync(10 * EVERY);
    expect(asked).toHaveLength(1);
  });
});
