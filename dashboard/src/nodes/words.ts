/** What the page says of workers, producers and gateways. Pure. */

import { NODE_STATE_WORDS } from '../lib/states';
import { plural } from '../lib/plural';
import type { NodesView, WorkerView } from '../lib/contract.gen';
import { NONE, clockTime, digits, elapsed, plain, figure } from '../lib/format';
import type { Level } from '../lib/health';

/** Seconds for which a process counts as started just now. */
export const NEW = 300;

type State = WorkerView['state'];

export interface Condition {
  level: Level;
  word: string;
  /** Why, and since when. */
  note: string | null;
}

/** What somebody is who is not heard: since when, and how long that is. */
export const unheard = (seen: number, now: number): string =>
  `last heard at ${clockTime(seen)}, ${elapsed(now - seen)} ago`;

/** Since when it is drained, and by whom; `null` if it is not. */
function asked({ drain }: Pick<WorkerView, 'drain'>): string | null {
  if (drain === null) return null;
  return drain.by === null
    ? `drained since ${clockTime(drain.since)}`
    : `drained since ${clockTime(drain.since)} by ${drain.by}`;
}

/** How a worker is, in words. */
export function condition(worker: WorkerView, now: number): Condition {
  const lacks = worker.lacks.length > 0 ? worker.lacks.join('; ') : null;
  const out = asked(worker);
  const word = NODE_STATE_WORDS[worker.state];
  switch (worker.state) {
    case 'lost':
      return {
        level: 'bad',
        word,
        note: [unheard(worker.last_seen, now), out === null ? '' : `${out}; stays drained if it returns`]
          .filter(Boolean)
          .join('; '),
      };
    case 'unknown':
      return {
        level: 'unknown',
        word,
        note: 'the gateway has no broker, or has just reconnected to it',
      };
    case 'drained':
      return { level: 'unknown', word, note: out ?? 'takes frames again in a moment' };
    case 'draining':
      return {
        level: 'unknown',
        word,
        note: out === null ? 'finishes its frame and stops' : `${out}; finishes its frames, takes no more`,
      };
    case 'running':
      if (out !== null) return { level: 'unknown', word, note: `${out}; the worker is being notified` };
      return { level: lacks === null ? 'good' : 'warning', word, note: lacks };
  }
}

const TOO_LITTLE = 'The remaining capacity is too small: frames will wait or expire.';

/** What draining the worker leaves of its lane, in numbers. */
export function consequence({ lane, without }: Pick<WorkerView, 'lane' | 'without'>): string {
  const { workers, capacity, load } = without;
  const now = digits(load);
  if (workers === 0) {
    const fate =
      lane === 'live'
        ? 'Without this worker they wait, and expire after two seconds.'
        : 'Without this worker they wait.';
    return `No other worker takes frames of the lane ${lane}. Load now: ${now} frames per second. ${fate}`;
  }
  const remain = plural(workers, ['# worker', '# workers']);
  if (capacity === null)
    return `Remaining in the lane ${lane}: ${remain}, capacity not known yet. Load now: ${now} frames per second.`;
  const can = `Remaining in the lane ${lane}: ${remain}, about ${digits(capacity)} frames per second. Load now: ${now} frames per second.`;
  return capacity < load ? `${can} ${TOO_LITTLE}` : can;
}

/** The drain is more than the others can carry. */
export const tooMuch = ({ without: { workers, capacity, load } }: Pick<WorkerView, 'without'>): boolean =>
  workers === 0 || (capacity !== null && capacity < load);

/** Bytes for people: `231 MB`. */
export const memory = (bytes: number | null): string =>
  bytes === null ? NONE : plain(figure(bytes / 1e6, 'MB', true));

/** The versions that run, each with how many processes have it, the most frequent first. */
export function versions({ items, producers, gateways }: NodesView): [string, number][] {
  const counts = new Map<string, number>();
  for (const { version, state } of [...items, ...producers, ...gateways])
    if (state !== 'lost' && version) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** Nobody takes frames because operators want it so. */
export const allDrained = (workers: readonly { state: State; drain: unknown }[]): boolean => {
  const here = workers.filter(({ state }) => state !== 'lost' && state !== 'unknown');
  return here.length > 0 && here.every(({ drain }) => drain !== null);
};

/** The gist of the workers: `2 of 4 working, 1 drained, 1 unknown, 1 lost`. */
export function gist(workers: readonly WorkerView[], expected: number | null): string {
  const working = workers.filter(({ state, drain }) => state === 'running' && drain === null).length;
  const drained = workers.filter(({ state, drain }) => drain !== null && state !== 'lost').length;
  const unknown = workers.filter(({ state }) => state === 'unknown').length;
  const lost = workers.filter(({ state }) => state === 'lost').length;
  // Who starts further workers by hand does not always tell how many there are to be.
  const parts = [`${working} of ${Math.max(expected ?? workers.length, working)} working`];
  if (drained > 0) parts.push(`${drained} drained`);
  if (unknown > 0) parts.push(`${unknown} unknown`);
  if (lost > 0) parts.push(`${lost} lost`);
  return parts.join(', ');
}
