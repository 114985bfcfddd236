/** The page's parts, put together: the stream, the polls, and the state that components read. */

import {
  type Reader,
  type Method,
  Refused,
  type Series,
  type SeriesName,
  every,
  get,
  getMissing,
  reasonOf,
  send,
  signOut,
} from '../lib/api';
import { BASE } from '../lib/base';
import { ServerClock, frameAge } from '../lib/clock';
import type { Camera } from '../lib/camera.svelte';
import {
  type AlertsView,
  type HistoryView,
  type LinkView,
  type MetricsView,
  type ModelsView,
  type Result,
  type ServiceObjectivesView,
  type SessionView,
  readAlertsView,
  readHistoryView,
  readLinkView,
  readMetricsView,
  readModelsView,
  readNodesView,
  readServiceObjectivesView,
  readSessionView,
} from '../lib/contract.gen';
import { Cluster } from '../lib/cluster.svelte';
import { type Freshness, freshness } from '../lib/freshness';
import { type Health, judge } from '../lib/health';
import { signInPath } from '../login/login';
import { SPAN } from '../lib/sparkline';
import { CLUSTER, type Level } from '../lib/models';
import { Pictures } from '../lib/pictures';
import { Route } from './route.svelte';
import { SchemeChoice } from '../lib/scheme.svelte';
import { Sounds } from '../lib/sounds.svelte';
import { type Connection, Stream } from '../lib/stream';
import { Watch } from '../lib/watch';

/** Milliseconds between polls. */
const METRICS = 2_500;
const HISTORY = 15_000;
const PANELS = 10_000;
const SESSION = 60_000;
/** Milliseconds after which figures that nothing newer has replaced are no longer shown. */
const OUTDATED = 10_000;
/** Milliseconds of the gateway's silence after which its word on a camera no longer counts. */
const SILENT = 6_000;

export class App {
  readonly cluster = new Cluster();
  readonly pictures = new Pictures();
  readonly route = new Route();
  readonly scheme = new SchemeChoice();
  readonly sounds = new Sounds();
  readonly clock = new ServerClock();
  readonly stream: Stream;
  readonly watching: Watch;

  /** Local milliseconds, set four times a second: ages and clocks react to it. */
  tick = $state(performance.now());
  connection = $state.raw<Connection>({ open: false, since: performance.now(), retryAt: null });
  everConnected = $state(false);
  /** The dialog that is open over the page. */
  over = $state<'help' | 'invite' | null>(null);
  staleness = $state(2);
  session = $state.raw<SessionView | null>(null);
  alerts = $state.raw<AlertsView | null>(null);
  objectives = $state.raw<ServiceObjectivesView | null>(null);
  models = $state.raw<ModelsView | null>(null);
  expectedNodes = $state<number | null>(null);
  /** Sentences on what the gateway lacks to do its work. */
  missing = $state.raw<readonly string[]>([]);
  #metrics = $state.raw<{ value: MetricsView; at: number } | null>(null);
  #history = $state.raw<HistoryView | null>(null);
  /** Figures since the history was fetched. */
  #recent = $state.raw<MetricsView[]>([]);
  /** Local milliseconds when the gateway last said anything. */
  #heard = performance.now();
  #switches = 0;
  #lastSample = 0;
  #leaving = false;

  /** Server time, Unix seconds. */
  now = $derived.by(() => (this.tick, this.clock.now()));
  /** `null` while there are none, or none fresh enough to be shown. */
  metrics = $derived(
    this.#metrics !== null && this.tick - this.#metrics.at < OUTDATED ? this.#metrics.value : null,
  );
  metricsFailed = $state(false);
  step = $derived(this.#history?.step ?? 15);
  /** The PromQL that answers for each series of the cards; none before the first answer. */
  queries = $derived(this.#history?.queries ?? {});
  /** How the system was started: which commands the page advises. */
  launcher = $derived(this.session?.launcher ?? null);

  constructor() {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.stream = new Stream(`${scheme}//${location.host}${BASE}/ws/results`, {
      message: (message) => {
        this.#heard = performance.now();
        if (message.type === 'hello') {
          this.clock.correct(message.time, performance.now());
          this.staleness = message.staleness;
          this.cluster.greeted();
        }
        const nodes = this.cluster.nodes.length;
        this.cluster.accept(message);
        // Whoever changes the number of workers has said before how many there should be.
        if (this.cluster.nodes.length !== nodes) void this.#readExpected(AbortSignal.timeout(PANELS));
      },
      picture: (picture) => {
        this.#heard = performance.now();
        this.pictures.receive(picture);
      },
      connection: (connection) => {
        this.connection = connection;
        if (connection.open) this.everConnected = true;
        else this.cluster.lost();
      },
      unauthorised: () => this.#leave(),
    });
    this.watching = new Watch((cameras, pictures) => this.stream.subscribe(cameras, pictures));
    // A page without tiles needs no results.
    this.watching.changed();
    document.addEventListener('visibilitychange', () => this.watching.changed());
    addEventListener('online', () => this.stream.retry());
    setInterval(() => (this.tick = performance.now()), 250);

    every(METRICS, (signal) => this.#readMetrics(signal));
    every(METRICS, async (signal) => (this.missing = await getMissing(signal).catch(() => this.missing)));
    every(HISTORY, (signal) =>
      this.#read(`/api/metrics/history?seconds=${SPAN}`, readHistoryView, signal, (history) => {
        this.#history = history;
        this.#recent = [];
      }),
    );
    every(PANELS, (signal) =>
      this.#read('/api/alerts', readAlertsView, signal, (alerts) => {
        this.alerts = alerts;
        this.sounds.hear(alerts);
      }),
    );
    every(PANELS, (signal) =>
      this.#read(
        '/api/objectives',
        readServiceObjectivesView,
        signal,
        (objectives) => (this.objectives = objectives),
      ),
    );
    every(PANELS, (signal) => this.#readExpected(signal));
    every(PANELS, (signal) => {
      const before = this.#switches;
      return this.#read('/api/models/available', readModelsView, signal, (models) => {
        if (before === this.#switches) this.models = models; // else the answer is older than the switch
      });
    });
    every(SESSION, (signal) =>
      this.#read('/api/session', readSessionView, signal, (session) => (this.session = session)),
    );
  }

  /** The last 15 minutes of a figure. */
  series(name: SeriesName): Series {
    const past = this.#history?.series[name] ?? [];
    const end = past.at(-1)?.[0] ?? 0;
    const recent = this.#recent
      .filter(({ time }) => time > end)
      .map((metrics): Series[number] => [metrics.time, FIGURES[name](metrics)]);
    return [...past, ...recent];
  }

  #readExpected(signal: AbortSignal): Promise<boolean> {
    return this.#read('/api/nodes', readNodesView, signal, (nodes) => (this.expectedNodes = nodes.expected));
  }

  health: Health = $derived.by(() =>
    judge({
      disconnected: this.connection.open ? null : (this.tick - this.connection.since) / 1000,
      everConnected: this.everConnected,
      metrics: this.metrics,
      metricsFailed: this.metricsFailed,
      missing: this.missing,
      queue: this.series('queueDepth'),
      cameras: this.cluster.announced,
      unannounced: total(this.cluster.counts) - total(this.cluster.announced),
      nodes: this.cluster.nodes,
      expectedNodes: this.expectedNodes,
      alerts: this.alerts,
    }),
  );

  /** True if the gateway is away, and not merely while this page makes its first connection. */
  disconnected = $derived(!this.connection.open && (this.everConnected || this.health.level === 'bad'));

  /** The age of the camera's picture in seconds, and what that means; `null` without a picture to show. */
  pictureAge(camera: Camera): { seconds: number; freshness: Freshness } | null {
    if (camera.painted === null || camera.state === 'offline' || camera.state === 'disabled') return null;
    const { result, arrived } = camera.painted;
    const seconds = frameAge({ captured: result.original_timestamp, arrived }, this.now, this.tick);
    const word = this.connection.open && this.tick - this.#heard < SILENT ? camera.info : null;
    return { seconds, freshness: freshness(seconds, this.staleness, word) };
  }

  /** Notes that a picture of the camera has just been painted; `again`: that another view had shown before. */
  painted(camera: Camera, result: Result, arrived: number, again: boolean): void {
    camera.painted = { result, arrived };
    // How long it took to be painted was told then.
    if (again) return;
    const local = performance.now();
    if (local - this.#lastSample < 1000) return;
    this.#lastSample = local;
    const age = Math.max(0, this.clock.now() - result.original_timestamp);
    this.stream.send({ type: 'painted', frame_id: result.frame_id, age });
  }

  /** Desires a model for the whole cluster, a lane or a camera. Returns the reason of a refusal, or `null`. */
  async switchModel(model: string, { lane, camera }: Level = CLUSTER): Promise<string | null> {
    const parameters = new URLSearchParams({ model });
    if (lane !== null) parameters.set('lane', lane);
    if (camera !== null) parameters.set('camera', camera);
    const path = `/api/models/switch?${parameters}`;
    return this.change('POST', path, readModelsView, (models) => {
      this.models = models;
      this.#switches += 1;
    });
  }

  /** Makes a link that signs a viewer in once, for `then`. Returns the reason of a refusal, or `null`. */
  async invite(then: (invite: LinkView) => void): Promise<string | null> {
    return this.change('POST', '/api/links?role=viewer', readLinkView, then);
  }

  /** Asks the gateway. Rejects when it refuses (`Refused`) or does not answer. */
  async ask<T>(path: string, read: Reader<T>, signal: AbortSignal): Promise<T> {
    try {
      const value = await get(path, read, signal);
      this.#heard = performance.now();
      return value;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#leave();
      else if (!(error instanceof Refused) && !signal.aborted) this.stream.suspect();
      throw error;
    }
  }

  /** Asks for a change and takes its answer. Returns the reason of a refusal, or `null`. */
  async change<T>(
    method: Method,
    path: string,
    read: Reader<T>,
    then: (value: T) => void,
    body?: object,
  ): Promise<string | null> {
    try {
      then(await send(method, path, read, body));
      return null;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#leave();
      return error instanceof Refused ? error.message : `${reasonOf(error)}; check it, then try again`;
    }
  }

  /** Signs out and leads to the login. Returns false if the gateway did not answer: then nothing has ended. */
  async signOut(): Promise<boolean> {
    // The gateway closes the stream at once, which must not pass for a session that has expired.
    this.#leaving = true;
    try {
      await signOut();
    } catch {
      this.#leaving = false;
      return false;
    }
    location.assign(`${BASE}/login`);
    return true;
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.stream.stop();
    location.assign(signInPath(location));
  }

  async #readMetrics(signal: AbortSignal): Promise<void> {
    const asked = performance.now();
    const reached = await this.#read('/api/metrics', readMetricsView, signal, (value) => {
      const at = performance.now();
      this.clock.correct(value.time, asked, at);
      this.#metrics = { value, at };
      this.#recent = [...this.#recent.slice(-100), value];
    });
    this.metricsFailed = !reached;
  }

  /** Returns true if the gateway answered. */
  async #read<T>(
    path: string,
    read: Reader<T>,
    signal: AbortSignal,
    then: (value: T) => void,
  ): Promise<boolean> {
    try {
      then(await this.ask(path, read, signal));
      return true;
    } catch {
      return false;
    }
  }
}

const total = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((sum, number) => sum + number, 0);

const FIGURES: Record<SeriesName, (metrics: MetricsView) => number | null> = {
  processingRate: (metrics) => metrics.processingRate,
  latencyP50: (metrics) => metrics.latency.p50,
  latencyP95: (metrics) => metrics.latency.p95,
  queueDepth: (metrics) => metrics.queueDepth,
  notComputed: (metrics) => metrics.notComputed,
  errors: (metrics) => metrics.errors,
};
