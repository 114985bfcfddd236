import { describe, expect, it } from 'vitest';
import type { Series } from '../src/lib/api';
import type { AlertView, AlertsView, MetricsView, NodeView } from '../src/lib/contract.gen';
import { type HealthInputs, isGrowing, judge } from '../src/lib/health';
import type { NodeState } from '../src/lib/protocol';

const METRICS: MetricsView = {
  processingRate: 148,
  avgLatency: 0.04,
  queueDepth: 3,
  latency: { p50: 0.038, p95: 0.091, p99: 0.2 },
  notComputed: 0.004,
  errors: 0,
  failedByReason: {},
  nodes: [],
  workers: 2,
  starting: false,
  source: {
    processingRate: 'prometheus',
    avgLatency: 'prometheus',
    queueDepth: 'prometheus',
    latency: 'prometheus',
    notComputed: 'prometheus',
    errors: 'prometheus',
    nodes: 'prometheus',
  },
  objectives: { latencyP95: 0.5, queueDepth: 300, notComputed: 0.01, errors: 0 },
  time: 0,
  notices: [],
  canary: null,
  prometheus: { error: null, since: null },
};
const node = (state: NodeState): NodeView => ({
  node_id: 'n',
  state,
  lane: null,
  model: null,
  detector: null,
  fallback: null,
  fps: null,
  busy: null,
  since: null,
  last_seen: null,
  desired: 0,
  model_error: null,
  settled: true,
  drain: null,
});
const alert = (name: string, severity: string, state: AlertView['state'] = 'firing'): AlertView => ({
  name,
  severity,
  state,
  summary: '',
  since: null,
  description: '',
  runbook: '',
  labels: {},
  value: null,
  silenced_by: [],
});
const alerts = (...items: AlertView[]): { alerts: AlertsView } => ({
  alerts: {
    items,
    source: 'prometheus',
    error: null,
    since: null,
    evaluated: true,
    silences: [],
    silences_error: null,
  },
});
const CAMERAS = {
  live: 4,
  degraded: 0,
  stalled: 0,
  offline: 0,
  connecting: 0,
  disabled: 0,
  quiet: 0,
  unknown: 0,
};
const WELL: HealthInputs = {
  disconnected: null,
  everConnected: true,
  metrics: METRICS,
  metricsFailed: false,
  missing: [],
  queue: [],
  cameras: CAMERAS,
  unannounced: 0,
  nodes: [node('running'), node('running')],
  expectedNodes: null,
  ...alerts(),
};
const word = (change: Partial<HealthInputs>) => judge({ ...WELL, ...change }).word;
const metrics = (change: Partial<MetricsView>) => ({ metrics: { ...METRICS, ...change } });

describe('the health word', () => {
  it('knows what a start looks like', () => {
    const starting = { starting: true, notComputed: 0.011 };
    expect(word(metrics(starting))).toBe('Starting up: 1.1 % of frames dropped or expired');
    expect(word(metrics({ ...starting, starting: false }))).toBe(
      'Degraded: 1.1 % of frames dropped or expired',
    );
    expect(judge({ ...WELL, nodes: [], ...metrics({ starting: true, workers: 0 }) }).level).toBe('unknown');
  });
  it('does not take for a start what is wrong', () => {
    const starting = metrics({ starting: true, notComputed: 0.011 });
    expect(judge({ ...WELL, ...starting, cameras: { ...CAMERAS, offline: 1 } }).level).toBe('bad');
    expect(judge({ ...WELL, ...starting, ...alerts(alert('QueueFull', 'critical')) }).level).toBe('bad');
    expect(judge({ ...WELL, ...starting, missing: ['RabbitMQ: lost'] }).level).toBe('bad');
  });
  it('is Healthy when all is well', () =>
    expect(judge(WELL)).toMatchObject({ level: 'good', word: 'Healthy', problems: [] }));

  it('counts how long the gateway has been away', () => {
    expect(judge({ ...WELL, disconnected: 12.4 })).toMatchObject({
      level: 'bad',
      word: 'Disconnected for 12 s',
    });
    expect(word({ disconnected: 200 })).toBe('Disconnected for 3 min');
  });

  it('is patient only with the first connection', () => {
    expect(word({ disconnected: 1, everConnected: false })).toBe('Connecting');
    expect(word({ disconnected: 4, everConnected: false })).toBe('Disconnected for 4 s');
    expect(word({ disconnected: 1 })).toBe('Disconnected for 1 s');
  });

  it('does not call well what it does not know', () => {
    expect(word({ metrics: null })).toBe('Connecting');
    expect(judge({ ...WELL, metrics: null, metricsFailed: true })).toMatchObject({
      level: 'warning',
      word: 'Degraded: no figures',
    });
  });

  it.each<[string, Partial<HealthInputs>]>([
    ['Degraded: no workers', { ...metrics({ workers: 0 }), nodes: [] }],
    ['Degraded: no workers', { ...metrics({ workers: 0 }), nodes: [node('lost')], expectedNodes: 2 }],
    ['Degraded: 1 camera offline', { cameras: { ...CAMERAS, offline: 1 } }],
    ['Degraded: 2 cameras stalled', { cameras: { ...CAMERAS, stalled: 2 } }],
    ['Degraded: 1 camera degraded', { cameras: { ...CAMERAS, degraded: 1 } }],
    [
      'Degraded: 1 node on an old model',
      { nodes: [node('running'), { ...node('running'), model_error: 'no file' }] },
    ],
    [
      'Degraded: every worker is drained',
      { nodes: [{ ...node('drained'), drain: { since: 0, by: 'main' } }, node('lost')] },
    ],
    ['Healthy', { nodes: [{ ...node('drained'), drain: { since: 0, by: 'main' } }, node('running')] }],
    ['Degraded: 1 node lost', { nodes: [node('running'), node('lost')] }],
    ['Degraded: 2 of 3 nodes', { expectedNodes: 3 }],
    ['Degraded: 301 frames in the queue', metrics({ queueDepth: 301 })],
    ['Degraded: 0.4 errors per second', metrics({ errors: 0.4 })],
    ['Degraded: <0.1 errors per second', metrics({ errors: 0.01 })],
    ['Degraded: 6.0 % of frames dropped or expired', metrics({ notComputed: 0.06 })],
    ['Degraded: slow, p95 1.3 s', metrics({ latency: { p50: 0.1, p95: 1.3, p99: 2 } })],
    ['Degraded: alert QueueGrowing', alerts(alert('FramefleetQueueGrowing', 'warning'))],
    [
      'Degraded: RabbitMQ is missing',
      { missing: ['RabbitMQ: connecting'], ...metrics({ workers: 0 }), nodes: [] },
    ],
    ['Degraded: history is missing', { missing: ['history: the disk is full'] }],
    [
      'Degraded: queue frame_queue is down',
      { missing: ['history: it is being opened', 'queue frame_queue: it is down, RabbitMQ cannot use it'] },
    ],
    ['Idle: no cameras', { cameras: { ...CAMERAS, live: 0 } }],
    ['Healthy', { cameras: { ...CAMERAS, live: 0 }, unannounced: 1 }],
    ['Healthy', { cameras: { ...CAMERAS, unknown: 3 }, nodes: [node('running'), node('unknown')] }],
    ['Healthy', alerts(alert('FramefleetQueueGrowing', 'warning', 'pending'))],
    ['Healthy', alerts(alert('FramefleetTracesDropped', 'info'))],
    ['Healthy', { cameras: { ...CAMERAS, disabled: 3, connecting: 1 } }],
    [
      'Healthy',
      metrics({
        queueDepth: null,
        errors: null,
        notComputed: null,
        latency: { p50: null, p95: null, p99: null },
      }),
    ],
  ])('is %s', (expected, change) => expect(word(change)).toBe(expected));

  it('says that alerts are unknown, and since when', () => {
    const since = new Date(2026, 10, 30, 14, 3, 20).getTime() / 1000;
    const away = (error: string) => metrics({ prometheus: { error, since } });
    expect(judge({ ...WELL, ...away('Prometheus cannot be reached: Connection refused') })).toMatchObject({
      level: 'warning',
      word: 'Alerts unknown: Prometheus has not answered since 14:03',
    });
    expect(word(away('Prometheus does not let the gateway in (HTTP 401): PROMETHEUS_URL needs …'))).toBe(
      'Alerts unknown: Prometheus has refused the gateway since 14:03',
    );
    expect(word({ ...metrics({ prometheus: null }), alerts: null })).toBe('Healthy'); // nobody expects alerts
  });

  it('says that nobody evaluates the rules', () => {
    const blind = { alerts: { ...alerts().alerts, evaluated: false } };
    expect(judge({ ...WELL, ...blind })).toMatchObject({
      level: 'warning',
      word: 'Alerts unknown: Prometheus does not evaluate the rules',
    });
    expect(judge({ ...WELL, ...blind, ...metrics({ starting: true }) }).level).toBe('unknown');
  });

  it('names the broker first, and nothing that follows from it', () => {
    const health = judge({
      ...WELL,
      ...metrics({ workers: 0, notComputed: 0.9, errors: 3, queueDepth: 900 }),
      ...alerts(alert('FramefleetBrokerDown', 'critical')),
      missing: ['history: the disk is full', 'RabbitMQ: the broker has stopped answering'],
      cameras: { ...CAMERAS, offline: 2 },
      nodes: [node('lost')],
      expectedNodes: 2,
    });
    expect(health.word).toBe('Degraded: RabbitMQ is missing');
    expect(health.problems.map(({ words }) => words)).toEqual([
      'RabbitMQ is missing',
      'alert BrokerDown',
      'history is missing',
      'cameras, workers and figures are unknown without the broker',
    ]);
  });

  it('takes what is silenced for known', () => {
    const silenced = { ...alert('FramefleetNoWorkers', 'critical'), silenced_by: ['s1'] };
    expect(judge({ ...WELL, ...alerts(silenced) }).level).toBe('good');
  });

  it('names the gravest problem first and keeps the others', () => {
    const health = judge({
      ...WELL,
      ...metrics({ errors: 0.4 }),
      cameras: { ...CAMERAS, offline: 1 },
      ...alerts(alert('FramefleetNoWorkers', 'critical')),
    });
    expect(health.problems.map(({ words }) => words)).toEqual([
      'alert NoWorkers',
      '1 camera offline',
      '0.4 errors per second',
    ]);
    expect(health.level).toBe('bad');
  });
});

describe('a growing queue', () => {
  const series = (...values: (number | null)[]): Series =>
    values.map((value, index) => [1000 + index * 15, value]);

  it.each<[boolean, string, Series]>([
    [false, 'nothing', []],
    [false, 'too little to tell', series(10, 90)],
    [true, 'steady growth', series(5, 20, 40, 60, 80, 100)],
    [false, 'growth far below the objective', series(1, 2, 3, 4, 5, 6)],
    [false, 'a burst that has drained', series(5, 5, 200, 150, 40, 5)],
    [false, 'a high but steady queue', series(200, 201, 199, 200, 201, 200)],
    [true, 'growth with a gap', series(5, 20, null, 60, 80, 100)],
    [
      false,
      'growth that ended minutes ago',
      [...series(5, 50, 100), [1300, 100], [1315, 100], [1330, 100], [1345, 100]],
    ],
  ])('%s for %s', (expected, _, values) => expect(isGrowing(values, 300)).toBe(expected));
});
