/** The cluster's health in a word, with the problems behind it. Pure. */

import { alertsUnknown, gather, titled, troubles } from './alerts';
import type { Series } from './api';
import type { AlertsView, MetricsView, NodeView } from './contract.gen';
import { digits, duration, elapsed, percent, plain } from './format';
import { plural } from './plural';
import type { CameraState } from './protocol';

export type Level = 'good' | 'warning' | 'bad' | 'unknown';

export interface Problem {
  level: 'warning' | 'bad';
  /** The words after "Degraded: ". */
  words: string;
  /** True for words that say all by themselves. */
  whole?: true;
  /** The state of the cameras that the problem is about. */
  state?: CameraState;
  /** True for what every start looks like for some seconds: no worker yet, frames older than the first worker. */
  ofStart?: true;
}

export interface Health {
  level: Level;
  word: string;
  /** The same without what changes every second, to be read out. */
  announced: string;
  problems: Problem[];
}

export interface HealthInputs {
  /** Seconds since the connection was lost, `null` while it stands. */
  disconnected: number | null;
  /** False before the first connection of this page. */
  everConnected: boolean;
  metrics: MetricsView | null;
  /** The last request for figures failed. */
  metricsFailed: boolean;
  /** Sentences on what the gateway lacks. */
  missing: readonly string[];
  queue: Series;
  /** Those that a producer announces: a client that sends seldom, or stops, is no trouble of the cluster's. */
  cameras: Record<CameraState, number>;
  /** How many others there are, of clients and senders. */
  unannounced: number;
  nodes: readonly NodeView[];
  expectedNodes: number | null;
  /** `null` until they were read. */
  alerts: AlertsView | null;
}

/** How many seconds of the queue's history decide whether it grows. */
const WINDOW = 120;

/**
 * Tells whether the queue has been growing for two minutes, and matters: its later half lies clearly above its earlier
 * half, it has not come down since, and it is past a tenth of its objective. A single burst is not growth.
 */
export function isGrowing(series: Series, objective: number): boolean {
  const last = series.at(-1);
  if (last === undefined) return false;
  const values = series
    .filter(([time, value]) => time > last[0] - WINDOW && value !== null)
    .map(([, value]) => value as number);
  const end = values.at(-1);
  if (values.length < 4 || end === undefined) return false;
  const half = Math.floor(values.length / 2);
  const mean = (part: number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const [earlier, later] = [mean(values.slice(0, half)), mean(values.slice(half))];
  return end >= objective / 10 && later > earlier * 1.25 && end >= later;
}

/** Tells why the gateway has no broker; `null` if it has one. */
export const brokerTrouble = (missing: readonly string[]): string | null =>
  missing.find((sentence) => sentence.startsWith('RabbitMQ')) ?? null;

/** Tells why nothing is recorded; `null` if the history works. */
export const historyTrouble = (missing: readonly string[]): string | null =>
  missing.find((sentence) => /^history/i.test(sentence)) ?? null;

/** Tells which queues RabbitMQ has and cannot use, a sentence each. */
export const queueTroubles = (missing: readonly string[]): string[] =>
  missing.filter((sentence) => sentence.startsWith('queue '));

/** Tells what a notice of the gateway is about, and how grave that is. */
export function noticeTitle(sentence: string): { title: string; level: 'warning' | 'bad' } {
  if (queueTroubles([sentence]).length > 0) return { title: 'A sender’s queue is down', level: 'bad' };
  if (/^The file of cameras/.test(sentence))
    return { title: 'The file of cameras has mistakes', level: 'warning' };
  return { title: 'Cameras are left out', level: 'warning' };
}

/** Tells whether the gateway lacks the broker or one of its queues. */
export const brokerMissing = (missing: readonly string[]): boolean =>
  brokerTrouble(missing) !== null || queueTroubles(missing).length > 0;

const CAMERAS_IN = {
  offline: (count: number) => plural(count, ['# camera offline', '# cameras offline']),
  stalled: (count: number) => plural(count, ['# camera stalled', '# cameras stalled']),
  degraded: (count: number) => plural(count, ['# camera degraded', '# cameras degraded']),
};

/**
 * Finds all problems, the gravest first. A cause stands for what follows from it: while the broker does not answer, the
 * gateway knows nothing of cameras, workers and figures, and blames none of them.
 */
export function findProblems(inputs: HealthInputs): Problem[] {
  const problems: Problem[] = [];
  const bad = (words: string) => problems.push({ level: 'bad', words });
  const warning = (words: string) => problems.push({ level: 'warning', words });
  const ofStart = (level: Problem['level'], words: string) => problems.push({ level, words, ofStart: true });
  const camerasIn = (state: keyof typeof CAMERAS_IN, level: Problem['level']) => {
    if (cameras[state] > 0) problems.push({ level, words: CAMERAS_IN[state](cameras[state]), state });
  };
  const { metrics, cameras, nodes } = inputs;
  const firing = gather(inputs.alerts?.items ?? []).filter(troubles);

  const broker = brokerTrouble(inputs.missing);
  const down = queueTroubles(inputs.missing);
  for (const sentence of inputs.missing) {
    const subject = sentence.split(':')[0] ?? sentence;
    const words = `${subject} is missing`;
    if (sentence === broker) bad(words);
    else if (down.includes(sentence)) bad(`${subject} is down`);
    else ofStart('warning', words);
  }
  const unknown = alertsUnknown(inputs.alerts, metrics?.prometheus ?? null);
  if (unknown !== null) {
    const words = `Alerts unknown: ${unknown}`;
    // Its rules are evaluated for the first time some seconds after its start.
    const starting = metrics?.prometheus?.error === null;
    problems.push({ level: 'warning', words, whole: true, ...(starting ? { ofStart: true } : {}) });
  }
  for (const alert of firing) if (alert.severity === 'critical') bad(`alert ${titled(alert)}`);
  if (broker !== null) {
    warning('cameras, workers and figures are unknown without the broker');
    return gravestFirst(problems);
  }
  const noWorkers = metrics?.workers === 0;
  if (noWorkers) problems.unshift({ level: 'bad', words: 'no workers', ofStart: true });
  const here = nodes.filter(({ state }) => state !== 'lost' && state !== 'unknown');
  if (here.length > 0 && here.every(({ drain }) => drain !== null))
    problems.unshift({ level: 'bad', words: 'every worker is drained' });
  if (metrics === null && inputs.metricsFailed) warning('no figures');
  camerasIn('offline', 'bad');
  camerasIn('stalled', 'bad');

  const running = nodes.filter((node) => node.state !== 'lost').length;
  const lost = nodes.length - running;
  if (!noWorkers) {
    if (inputs.expectedNodes !== null && running < inputs.expectedNodes) {
      ofStart('warning', `${running} of ${plural(inputs.expectedNodes, ['# node', '# nodes'])}`);
    } else if (lost > 0) warning(plural(lost, ['# node lost', '# nodes lost']));
  }

  const failing = nodes.filter((node) => node.state === 'running' && node.model_error !== null).length;
  if (failing > 0) warning(plural(failing, ['# node on an old model', '# nodes on an old model']));

  if (metrics !== null) {
    const { objectives, queueDepth, latency, notComputed, errors } = metrics;
    if (isGrowing(inputs.queue, objectives.queueDepth)) ofStart('warning', 'queue growing');
    else if (queueDepth !== null && queueDepth > objectives.queueDepth) {
      ofStart('warning', plural(queueDepth, ['# frame in the queue', '# frames in the queue']));
    }
    if (errors !== null && errors > objectives.errors) warning(`${digits(errors)} errors per second`);
    if (notComputed !== null && notComputed > objectives.notComputed) {
      ofStart('warning', `${plain(percent(notComputed))} of frames dropped or expired`);
    }
    if (latency.p95 !== null && latency.p95 > objectives.latencyP95) {
      ofStart('warning', `slow, p95 ${plain(duration(latency.p95))}`);
    }
  }
  camerasIn('degraded', 'warning');
  for (const alert of firing) if (alert.severity !== 'critical') warning(`alert ${titled(alert)}`);
  return gravestFirst(problems);
}

const gravestFirst = (problems: Problem[]): Problem[] =>
  problems.sort((a, b) => Number(b.level === 'bad') - Number(a.level === 'bad'));

const health = (level: Level, word: string, problems: Problem[] = [], announced = word): Health => ({
  level,
  word,
  announced,
  problems,
});

export function judge(inputs: HealthInputs): Health {
  if (inputs.disconnected !== null) {
    if (!inputs.everConnected && inputs.disconnected < 3) return health('unknown', 'Connecting');
    return health('bad', `Disconnected for ${elapsed(inputs.disconnected)}`, [], 'Disconnected');
  }
  if (inputs.metrics === null && !inputs.metricsFailed) return health('unknown', 'Connecting');
  const problems = findProblems(inputs);
  const first = problems[0];
  if (inputs.metrics?.starting && first !== undefined && problems.every((problem) => problem.ofStart)) {
    return health('unknown', `Starting up: ${first.words}`, problems);
  }
  if (first !== undefined) {
    return health(first.level, first.whole ? first.words : `Degraded: ${first.words}`, problems);
  }
  const cameras = Object.values(inputs.cameras).reduce((sum, number) => sum + number, 0);
  if (cameras + inputs.unannounced === 0) return health('unknown', 'Idle: no cameras', problems);
  return health('good', 'Healthy', problems);
}
