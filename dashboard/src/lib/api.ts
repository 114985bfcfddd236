/** The gateway's HTTP interface, as far as this page reads it. */

import { BASE } from './base';
import { type HistoryView, readProblemView, readStatusView } from './contract.gen';

export type Series = HistoryView['series'][string];
/** Unix seconds and a value. */
export type Point = Series[number];
export type FigureSource = HistoryView['source'];

export const SERIES = [
  'processingRate',
  'latencyP50',
  'latencyP95',
  'queueDepth',
  'notComputed',
  'errors',
] as const;
export type SeriesName = (typeof SERIES)[number];

/** Makes an answer of the JSON that arrived; `null` if it is none. */
export type Reader<T> = (value: unknown) => T | null;

/** The gateway answered, but refused. */
export class Refused extends Error {
  /** False if the answer has no sentence of the gateway's: it may be that of a proxy in front of it. */
  readonly spoken: boolean;

  /** `words` is the gateway's own sentence, if it gave one. */
  constructor(
    readonly status: number,
    words: string | null = null,
  ) {
    super(words ?? `the gateway answered ${status}`);
    this.spoken = words !== null;
  }
}

/** Milliseconds after which an answer is no longer worth waiting for. */
const PATIENCE = 8_000;

export async function get<T>(path: string, read: Reader<T>, signal: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(PATIENCE);
  const response = await fetch(BASE + path, {
    headers: { Accept: 'application/json' },
    signal: AbortSignal.any([signal, timeout]),
  });
  return take(response, read);
}

export type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Asks for a change. Rejects with the gateway's sentence (`Refused`) when the gateway does not make it. */
export async function send<T>(method: Method, path: string, read: Reader<T>, body?: object): Promise<T> {
  const response = await fetch(BASE + path, {
    method,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE),
  });
  return take(response, read);
}

const SILENT = () => 'the gateway does not answer';
const UNREADABLE = () => 'this page does not understand the answer; reload it';

/** Why a question or a change failed, as part of a sentence. */
export const reasonOf = (failure: unknown): string =>
  failure instanceof Refused ? failure.message : SILENT();

/** The language of a reason: the gateway's sentences are English, this page's own are in the page's language. */
export const reasonLanguage = (reason: string): 'en' | undefined =>
  [SILENT(), UNREADABLE()].some((own) => reason.startsWith(own)) ? undefined : 'en';

async function take<T>(response: Response, read: Reader<T>): Promise<T> {
  if (!response.ok) {
    const problem = readProblemView(await response.json().catch(() => null));
    throw new Refused(response.status, problem?.error ?? null);
  }
  // A deed may be answered without a word.
  const answer = read(response.status === 204 ? null : await response.json());
  if (answer !== null) return answer;
  throw new Refused(response.status, UNREADABLE());
}

/** Asks what the gateway lacks to do its work: sentences like `RabbitMQ: …`. */
export async function getMissing(signal: AbortSignal): Promise<string[]> {
  const response = await fetch(`${BASE}/readyz`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  });
  if (response.status !== 503) return [];
  return readStatusView(await response.json())?.missing ?? [];
}

export async function signOut(): Promise<void> {
  await fetch(`${BASE}/api/logout`, { method: 'POST', signal: AbortSignal.timeout(PATIENCE) });
}

/** Calls `work` now and then every `milliseconds`, one call at a time. Returns a function that stops it. */
export function every(milliseconds: number, work: (signal: AbortSignal) => Promise<unknown>): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = async () => {
    await work(stop.signal);
    if (!stop.signal.aborted) timer = setTimeout(() => void turn(), milliseconds);
  };
  void turn();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
