/** Questions to Prometheus through the gateway's proxy, and what a failure means for whoever asked. */

import { Refused, type Reader } from '../api';
import { readMetricsView } from '../contract.gen';
import type { Span } from '../timerange';
import { type QueryAnswer, readQueryAnswer } from './answer';

/** Asks the gateway: `App.ask`, or the like of it in a test. */
export type Ask = <T>(path: string, read: Reader<T>, signal: AbortSignal) => Promise<T>;

/** Prometheus, as the gateway shows it. */
export const PROMETHEUS = '/api/prometheus';

const path = (name: string, parameters: Record<string, string>): string =>
  `${PROMETHEUS}/api/v1/${name}?${new URLSearchParams(parameters).toString()}`;

/** Milliseconds in which a gateway that is there answers something easy. */
const ALIVE = 3_000;

/** Prometheus answers nobody, as the gateway has found; with its sentence. */
class PrometheusAway extends Error {}

/** Asks; where nothing comes in time, finds out whose fault that is before somebody is blamed. */
async function asked<T>(ask: Ask, where: string, read: Reader<T>, signal: AbortSignal): Promise<T> {
  try {
    return await ask(where, read, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof DOMException && error.name === 'TimeoutError')) throw error;
    const soon = AbortSignal.any([signal, AbortSignal.timeout(ALIVE)]);
    const metrics = await ask('/api/metrics', readMetricsView, soon).catch((failure: unknown) => {
      if (!(failure instanceof Refused && failure.spoken)) throw new TypeError('the gateway is away');
    });
    const away = metrics?.prometheus?.error;
    throw away ? new PrometheusAway(away) : error;
  }
}

export function askRange(
  ask: Ask,
  query: string,
  { from, to }: Span,
  step: number,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const parameters = { query, start: String(from), end: String(to), step: String(step) };
  return asked(ask, path('query_range', parameters), readQueryAnswer, signal);
}

/** The value at `time`. */
export function askInstant(ask: Ask, query: string, time: number, signal: AbortSignal): Promise<QueryAnswer> {
  return asked(ask, path('query', { query, time: time.toFixed(3) }), readQueryAnswer, signal);
}

/** The expression, set out in lines by Prometheus. */
export function askFormat(ask: Ask, query: string, signal: AbortSignal): Promise<string> {
  const read = (value: unknown) => {
    const data = (value as { data?: unknown } | null)?.data;
    return typeof data === 'string' ? data : null;
  };
  return asked(ask, path('format_query', { query }), read, signal);
}

export interface Failure {
  /** What happened. */
  title: string;
  /** Why, and what to do. */
  words: string;
  /** Their language, where they are the gateway's. */
  lang?: 'en';
  /** True if the question itself is wrong: asking it again does not help. */
  lasting: boolean;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Refused && !error.spoken && error.status >= 500)
    return {
      title: 'The gateway does not answer',
      words: `The proxy in front of it answers with status ${error.status}. Charts continue by themselves as soon as it answers.`,
      lasting: false,
    };
  if (error instanceof Refused) {
    const lasting = error.status >= 400 && error.status < 500;
    const title = lasting ? 'The query was refused' : 'No answer from Prometheus';
    return { title, words: sentence(error.message), lang: 'en', lasting };
  }
  if (error instanceof PrometheusAway)
    return {
      title: 'Prometheus does not answer',
      words: sentence(error.message),
      lang: 'en',
      lasting: false,
    };
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return {
      title: 'No answer in time',
      words: 'Prometheus took longer than 8 s. Ask for a shorter range or for fewer series.',
      lasting: false,
    };
  return {
    title: 'The gateway does not answer',
    words: 'Charts continue by themselves as soon as it answers.',
    lasting: false,
  };
}

/** The gateway's words as a sentence of their own. */
function sentence(words: string): string {
  const trimmed = words.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? '' : '.');
}
