/** What the remote lane has spent and may spend, and why it waits; in words. Pure. */

import type { RemoteView, SpentView } from '../lib/contract.gen';
import type { QueryAnswer } from '../lib/charts/answer';
import { NONE, written } from '../lib/format';
import type { Level } from '../lib/health';

/** From this share of a budget on, operators are warned (deploy/prometheus/rules/remote.yml). */
export const WARNED = 0.8;
/** A call is not made where the rest of the budget does not cover it: this is as good as all. */
const NEARLY_ALL = 0.98;

/** Dollars; what is less is not told exactly. */
const SMALLEST = 0.000001;

/** `$4.98`, `$1,203.40`, of less than a dollar three digits: `$0.0143`. */
export function dollars(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value > 0 && value < SMALLEST) return `<$${written(SMALLEST, { maximumFractionDigits: 6 })}`;
  const decimals = value > 0 && value < 0.995 ? 2 - Math.floor(Math.log10(value)) : 2;
  return `$${written(value, { minimumFractionDigits: 2, maximumFractionDigits: decimals })}`;
}

/** All that counts against a budget. */
export const booked = ({ spent, uncertain, reserved }: SpentView): number => spent + uncertain + reserved;

/** Shares of a budget, 0 to 1 together, as a bar shows them. */
export interface Shares {
  spent: number;
  uncertain: number;
  reserved: number;
  /** Of all three; more than 1 where the budget was lowered. */
  all: number;
}

/** `null` without a budget: there is nothing to have a share of. */
export function sharesOf(view: SpentView): Shares | null {
  const { limit } = view;
  if (limit === null) return null;
  const all = booked(view);
  if (limit <= 0) return { spent: all > 0 ? 1 : 0, uncertain: 0, reserved: 0, all: all > 0 ? 1 : 0 };
  // What is more than the budget still fills no more than the bar.
  const whole = Math.max(limit, all);
  return {
    spent: view.spent / whole,
    uncertain: view.uncertain / whole,
    reserved: view.reserved / whole,
    all: all / limit,
  };
}

export function budgetLevel(shares: Shares | null): Level {
  if (shares === null) return 'unknown';
  if (shares.all >= NEARLY_ALL) return 'bad';
  return shares.all >= WARNED ? 'warning' : 'good';
}

/** `$4.98 of $5.00`, or `$4.98, no budget`. */
export const budgetWords = (view: SpentView): string =>
  view.limit === null
    ? `${dollars(booked(view))}, no budget`
    : `${dollars(booked(view))} of ${dollars(view.limit)}`;

const HOLDS: Record<string, string> = {
  budget: 'Held by the budget',
  operator: 'Paused by an operator',
  breaker: 'Held: the endpoint fails',
  refused: 'Held: the endpoint refuses every call',
  books: 'Held: the books cannot be written',
};

export interface Standing {
  level: Level;
  words: string;
  /** What of it an operator can change: a pause, or a budget. */
  remedy: 'resume' | 'raise' | null;
}

/** Whether calls go out, and what holds them. */
export function standing({ state, workers }: RemoteView): Standing {
  if (state === 'paused') return { level: 'warning', words: 'Paused by an operator', remedy: 'resume' };
  const by = workers.find((worker) => worker.state === 'held')?.held_by ?? '';
  if (state === 'held')
    return {
      level: 'bad',
      words: HOLDS[by] ?? 'Held',
      remedy: by === 'budget' ? 'raise' : by === 'operator' ? 'resume' : null,
    };
  if (by !== '') return { level: 'warning', words: 'Some of the workers are held', remedy: null };
  if (workers.length > 0 && workers.every((worker) => worker.state === 'waiting'))
    return { level: 'warning', words: 'Waiting for the endpoint', remedy: null };
  return { level: 'good', words: 'Calls go out', remedy: null };
}

const COST = 'framefleet_camera_remote_cost_dollars_total{camera_id!=""}';

/** Questions to Prometheus, over the last hour or day. */
export const QUERIES = {
  calls: 'sum(increase(cv_remote_calls_total[1h])) by (outcome)',
  slow: 'histogram_quantile(0.95, sum(increase(cv_remote_call_seconds_bucket[1h])) by (le))',
  // All gateways count all results; and a counter that was not there a day ago began at 0.
  cameras: `topk(5, max((${COST} - ${COST} offset 1d) >= 0 or ${COST}) by (camera_id))`,
};

export interface Calls {
  all: number;
  /** Neither answered nor merely told to come later. */
  failed: number;
}

/** `null` while nothing is known of the hour. */
export function callsOf(answer: QueryAnswer | null): Calls | null {
  if (answer === null || answer.series.length === 0) return null;
  const calls: Calls = { all: 0, failed: 0 };
  for (const { labels, samples } of answer.series) {
    const count = samples.at(-1)?.[1] ?? 0;
    calls.all += count;
    if (labels['outcome'] !== 'ok' && labels['outcome'] !== 'throttled') calls.failed += count;
  }
  return { all: Math.round(calls.all), failed: Math.round(calls.failed) };
}

/** The only value of an answer; `null` if there is none. */
export const valueOf = (answer: QueryAnswer | null): number | null =>
  answer?.series[0]?.samples.at(-1)?.[1] ?? null;

/** What each camera cost, the dearest first; `null` while unknown. */
export function camerasOf(answer: QueryAnswer | null): [camera: string, cost: number][] | null {
  if (answer === null) return null;
  return answer.series
    .map(({ labels, samples }): [string, number] => [labels['camera_id'] ?? '', samples.at(-1)?.[1] ?? 0])
    .filter(([camera, cost]) => camera !== '' && cost > 0)
    .sort(([, one], [, other]) => other - one);
}
