/** The gateway's HTTP interface, as far as this page reads it. */

import { BASE, below } from './base';

/** Unix seconds and a value. */
export type Point = [number, number | null];
export type Series = Point[];
export type FigureSource = 'prometheus' | 'gateway';

export interface NodeFigures {
  node_id: string;
  fps: number | null;
  busy: number | null;
  p95: number | null;
}

/** `GET /api/metrics`. Latencies are seconds, `notComputed` a ratio, `errors` per second. */
export interface Metrics {
  processingRate: number | null;
  avgLatency: number | null;
  queueDepth: number | null;
  latency: { p50: number | null; p95: number | null; p99: number | null };
  notComputed: number | null;
  errors: number | null;
  failedByReason: Record<string, number>;
  nodes: NodeFigures[];
  workers: number;
  /** Since a minute ago or less there are results: frames that came before the workers are in the figures. */
  starting: boolean;
  source: Partial<Record<string, FigureSource>>;
  objectives: { latencyP95: number; queueDepth: number; notComputed: number; errors: number };
  time: number;
}

export const SERIES = [
  'processingRate',
  'latencyP50',
  'latencyP95',
  'queueDepth',
  'notComputed',
  'errors',
] as const;
export type SeriesName = (typeof SERIES)[number];

/** `GET /api/metrics/history`. */
export interface History {
  step: number;
  source: FigureSource;
  series: Partial<Record<SeriesName, Series>>;
}

export interface Alert {
  name: string;
  severity: string;
  state: 'firing' | 'pending';
  summary: string;
  since: number | null;
}

/** `GET /api/alerts`. */
export interface Alerts {
  items: Alert[];
  source: 'prometheus' | 'none';
  error: string | null;
}

/** `GET /api/session`. */
export interface Session {
  role: 'viewer' | 'operator';
  /** Of the token that was signed in with. */
  name: string | null;
  /** Unix seconds. */
  expires: number | null;
  version: string;
}

/** `POST /api/links`: signs somebody in, once, until it expires (Unix seconds). */
export interface InviteLink {
  link: string;
  expires: number;
}

/** The gateway answered, with something other than success. */
export class Refused extends Error {
  /** `words`: the gateway's own sentence, where it gave one. */
  constructor(
    readonly status: number,
    words: string | null = null,
  ) {
    super(words ?? `the gateway answered ${status}`);
  }
}

/** Milliseconds after which an answer is no longer worth waiting for. */
const PATIENCE = 8_000;

export async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(PATIENCE);
  const response = await fetch(BASE + path, {
    headers: { Accept: 'application/json' },
    signal: AbortSignal.any([signal, timeout]),
  });
  return read<T>(response);
}

/** Asks for a change. Rejects with the gateway's sentence, `Refused`, when it does not make it. */
export async function post<T>(path: string): Promise<T> {
  const response = await fetch(BASE + path, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(PATIENCE),
  });
  return read<T>(response);
}

async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => null)) as { error?: unknown } | null;
  throw new Refused(response.status, typeof body?.error === 'string' ? body.error : null);
}

/** What the gateway lacks to do its work, a sentence each (`RabbitMQ: …`). */
export async function getMissing(signal: AbortSignal): Promise<string[]> {
  const response = await fetch(`${BASE}/readyz`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  });
  if (response.status !== 503) return [];
  const body = (await response.json()) as { missing?: unknown };
  return Array.isArray(body.missing) ? body.missing.filter((item) => typeof item === 'string') : [];
}

/** The sign-in page, which says that the session has ended and leads back to where this page is. */
export function signInPath(location: { pathname: string; search: string }): string {
  const here = below(location.pathname) + location.search;
  return here === '/'
    ? `${BASE}/login?reason=ended`
    : `${BASE}/login?reason=ended&next=${encodeURIComponent(here)}`;
}

/** Where to go after signing in: a path of this site, whatever the link says. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return BASE + (/^\/(?![/\\])/.test(next) ? next : '/');
}

export async function signOut(): Promise<void> {
  await fetch(`${BASE}/api/logout`, { method: 'POST', signal: AbortSignal.timeout(PATIENCE) });
}

/** Calls `work` now and then every `milliseconds`, one call at a time. Returns what stops it. */
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
