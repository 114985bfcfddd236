/** What the page says of workers, producers and gateways. Pure. */

import type { NodesView, WorkerView } from '../lib/contract.gen';
import { NONE, clockTime, count, digits, elapsed, plain, figure } from '../lib/format';
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
  `not heard since ${clockTime(seen)}, ${elapsed(now - seen)} ago`;

const asked = ({ drain }: WorkerView): string =>
  drain === null ? '' : `${drain.by === null ? '' : ` by ${drain.by}`} since ${clockTime(drain.since)}`;

/** How a worker is, in words. */
export function condition(worker: WorkerView, now: number): Condition {
  const lacks = worker.lacks.length > 0 ? worker.lacks.join('; ') : null;
  const out = worker.drain === null ? null : `drained${asked(worker)}`;
  switch (worker.state) {
    case 'lost':
      return {
        level: 'bad',
        word: 'lost',
        note: unheard(worker.last_seen, now) + (out === null ? '' : `; ${out}: it stays so if it comes back`),
      };
    case 'unknown':
      return {
        level: 'unknown',
        word: 'unknown',
        note: 'the gateway has no broker, or has only just got it back',
      };
    case 'drained':
      return { level: 'unknown', word: 'drained', note: out ?? 'takes frames again in a moment' };
    case 'draining':
      return {
        level: 'unknown',
        word: 'draining',
        note: out === null ? 'finishes its frame and ends' : `${out}: finishes its frames, takes no more`,
      };
    case 'running':
      if (out !== null) return { level: 'unknown', word: 'running', note: `${out}: it is being told` };
      return { level: lacks === null ? 'good' : 'warning', word: 'running', note: lacks };
  }
}

/** What draining the worker leaves of its lane, in numbers. */
export function consequence({ lane, without }: Pick<WorkerView, 'lane' | 'without'>): string {
  const { workers, capacity, load } = without;
  const now = `${plain(figure(load, 'frames'))} a second are computed now`;
  if (workers === 0) {
    const fate = lane === 'live' ? 'they will wait, and expire after two seconds' : 'they will wait';
    return `No other worker takes frames of the lane ${lane}. ${now}; without it ${fate}.`;
  }
  const remain = `${count(workers, 'worker')} ${workers === 1 ? 'remains' : 'remain'} in the lane ${lane}`;
  if (capacity === null) return `${remain}; how much they can do is not known yet. ${now}.`;
  const can = `${remain}; ${workers === 1 ? 'it' : 'they'} can do about ${digits(capacity)} frames a second, and ${digits(load)} are computed now.`;
  return capacity < load ? `${can} That is too little: frames will wait or expire.` : can;
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

/** The gist of the workers: `2 of 3 at work, 1 drained, 1 lost`. */
export function gist(workers: readonly WorkerView[], expected: number | null): string {
  const working = workers.filter(({ state, drain }) => state === 'running' && drain === null).length;
  const drained = workers.filter(({ state, drain }) => drain !== null && state !== 'lost').length;
  const lost = workers.filter(({ state }) => state === 'lost').length;
  const parts = [`${working} of ${expected ?? workers.length} at work`];
  if (drained > 0) parts.push(`${drained} drained`);
  if (lost > 0) parts.push(`${lost} lost`);
  return parts.join(', ');
}
