// Generated from contract/ by `npm run contract` (in the checkout: `make contract`). Do not edit.

import * as r from './values';

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description The step that begins at `time`. `faces` is the most at once; `frames` does not count those that `expired`. */
    ActivityPointView: {
      time: number;
      frames: number;
      with_detections: number;
      faces: number;
      expired: number;
    };
    /** @description Activity in steps of `step` seconds. Steps in which nothing came are left out. */
    ActivityView: {
      step: number;
      items: components['schemas']['ActivityPointView'][];
    };
    /**
     * @description An alert, as its rule tells of it: `description` is what it is about and what to do, with the first ten of a
     *     rule, else empty; `runbook` where more is said.
     */
    AlertView: {
      name: string;
      severity: string;
      /** @enum {string} */
      state: 'firing' | 'pending';
      summary: string;
      since: number | null;
      description: string;
      runbook: string;
    };
    AlertsView: {
      items: components['schemas']['AlertView'][];
      /** @enum {string} */
      source: 'prometheus' | 'none';
      error: string | null;
    };
    /**
     * @description A camera, with `name` to `district` in its operator's words. `still`: its last picture shows what there is now.
     *
     *     `fps` counts its results, `latency` is that of the last one, from capture to result. `sender` is the user of the
     *     broker that sent its last frame, where that has a name. An answer to a request with
     *     `fields` has only those and `camera_id`.
     */
    CameraView: {
      camera_id: string;
      /** @enum {string} */
      state: 'connecting' | 'live' | 'degraded' | 'stalled' | 'offline' | 'disabled' | 'quiet' | 'unknown';
      reason: string | null;
      since: number | null;
      name: string | null;
      group: string | null;
      location: string | null;
      district: string | null;
      /** @default false */
      still: boolean;
      fps: number | null;
      last_result: number | null;
      faces: number | null;
      latency: number | null;
      width: number | null;
      height: number | null;
      producer_id: string | null;
      sender: string | null;
    };
    /**
     * @description The models that operators want; revision 0 is nothing so far. A camera's goes before its lane's, that before the
     *     cluster's.
     */
    DesiredModelsView: {
      revision: number;
      cluster: string | null;
      lanes: {
        [key: string]: string;
      };
      cameras: {
        [key: string]: string;
      };
    };
    /** @description One detection: a box in pixels of the original frame, top-left origin, clipped to it. */
    DetectedObject: {
      x: number;
      y: number;
      w: number;
      h: number;
      confidence: number | null;
      /** @default face */
      label: string;
    };
    /** @description One detection as the worker wrote it: a box in pixels of the frame, and landmarks (x and y each). */
    DetectionView: {
      x: number;
      y: number;
      w: number;
      h: number;
      confidence: number;
      label: string;
      landmarks: number[][];
    };
    /** @description How many events match, up to the one whose id is `newest`: what comes later is not among them. */
    EventCountView: {
      count: number;
      newest: number;
    };
    /**
     * @description The frame of an event's picture, as it was captured at `time`: `width` and `height` in pixels, in which the boxes
     *     and landmarks of its `detections` are.
     */
    EventFrameView: {
      frame_id: string;
      time: number;
      width: number;
      height: number;
      model: string;
      detections: components['schemas']['DetectionView'][];
    };
    /**
     * @description A stretch of time, `start` to `end`, in which a camera saw something without a longer break.
     *
     *     An event that is `open` may still grow. `frames` counts those with a detection, `faces` is the most detections in
     *     one of them, `confidence` the best, in hundredths. `name` and `group` are those of its beginning.
     *
     *     `seen_by` and `seen_at` are who saw it first, and when; `feedback` is what people say of the detections in its
     *     picture: `wrong`, one is not a face, or `missed`, a face was overlooked. Null: nobody did.
     */
    EventView: {
      event_id: number;
      camera_id: string;
      name: string | null;
      group: string | null;
      start: number;
      end: number;
      open: boolean;
      frames: number;
      faces: number;
      confidence: number;
      model: string;
      thumbnail: string | null;
      picture: string | null;
      frame: components['schemas']['EventFrameView'] | null;
      seen_at: number | null;
      seen_by: string | null;
      feedback: ('wrong' | 'missed') | null;
      note: string | null;
      feedback_at: number | null;
      feedback_by: string | null;
    };
    /** @description How many events were `marked` as seen, and how many that match are `left`: ask again for these. */
    EventsSeenView: {
      marked: number;
      left: number;
    };
    /** @description A page of events. `next` is the cursor of the following page, null on the last one. */
    EventsView: {
      items: components['schemas']['EventView'][];
      next: string | null;
    };
    /** @description A camera that the gateway has forgotten. */
    GoneCamera: {
      camera_id: string;
      /** @constant */
      gone: true;
    };
    /** @description The first message of a connection: the gateway's clock, its staleness budget in seconds, and its version. */
    HelloMessage: {
      time: number;
      /** @default 2 */
      staleness: number;
      /** @default  */
      version: string;
    };
    /** @description Figures over time: `[time, value]`, value null where nothing is known. */
    HistoryView: {
      step: number;
      /** @enum {string} */
      source: 'prometheus' | 'gateway';
      series: {
        [key: string]: [number, number | null][];
      };
    };
    /** @description A place that a frame passed, at the age of `seconds`. `time` is null where no clock saw it. */
    HopView: {
      /** @enum {string} */
      hop: 'captured' | 'queued' | 'computed' | 'recorded' | 'expired' | 'dead_letter';
      time: number | null;
      seconds: number | null;
      node_id: string | null;
      detail: string | null;
    };
    LatencyView: {
      p50: number | null;
      p95: number | null;
      p99: number | null;
    };
    /** @description A link that signs in one browser, once, until `expires` (Unix seconds). */
    LinkView: {
      link: string;
      expires: number;
    };
    MetricsView: {
      processingRate: number | null;
      avgLatency: number | null;
      queueDepth: number | null;
      latency: components['schemas']['LatencyView'];
      notComputed: number | null;
      errors: number | null;
      failedByReason: {
        [key: string]: number;
      };
      nodes: components['schemas']['NodeFiguresView'][];
      workers: number;
      starting: boolean;
      source: components['schemas']['SourcesView'];
      time: number;
      objectives: components['schemas']['ObjectivesView'];
      /** @default [] */
      notices: string[];
      canary: string | null;
    };
    /** @description A model that live nodes know. `states` and `errors` by node; several digests under one name are a conflict. */
    ModelView: {
      name: string;
      licence: string | null;
      conflict: boolean;
      states: {
        [key: string]: string;
      };
      errors: {
        [key: string]: string;
      };
    };
    /** @description Models, wishes and nodes. `settled` is true once every running node computes with what is desired. */
    ModelsView: {
      models: components['schemas']['ModelView'][];
      desired: components['schemas']['DesiredModelsView'];
    };
    NodeFiguresView: {
      node_id: string;
      fps: number | null;
      busy: number | null;
      p95: number | null;
    };
    NodeView: {
      node_id: string;
      /** @enum {string} */
      state: 'running' | 'draining' | 'lost' | 'unknown';
      lane: string | null;
      model: string | null;
      detector: string | null;
      fallback: string | null;
      fps: number | null;
      busy: number | null;
      since: number | null;
      last_seen: number | null;
      /** @default 0 */
      desired: number;
      model_error: string | null;
      /** @default true */
      settled: boolean;
    };
    NodesView: {
      expected: number | null;
    };
    /** @description The figures past which a card turns red. */
    ObjectivesView: {
      /** @default 0.5 */
      latencyP95: number;
      /** @default 300 */
      queueDepth: number;
      /** @default 0.01 */
      notComputed: number;
      /** @default 0 */
      errors: number;
    };
    /** @description The shape of every error, the same as Prometheus gives its own. */
    ProblemView: {
      error: string;
    };
    /** @description Where more is to be seen: an address on this gateway. */
    ReferenceView: {
      name: string;
      href: string;
    };
    /**
     * @description The result of one frame. Times in Unix seconds, durations in seconds, sizes in pixels.
     *
     *     `status` is `ok`, or `expired` for a frame that was not computed, with the hop and the reason. `sender` is the
     *     user that it came from, where that has a name (contract.senders).
     */
    Result: {
      /** @default 0 */
      timestamp: number;
      original_timestamp: number;
      /** @default  */
      node_id: string;
      detections: components['schemas']['DetectedObject'][];
      camera_id: string;
      /** @default  */
      frame_id: string;
      width: number | null;
      height: number | null;
      model: string | null;
    };
    /** @description Ratios are of all events of the window, 0 to 1; None where nothing is known yet. */
    ServiceObjectiveView: {
      name: string;
      objective: number;
      window_days: number;
      known_seconds: number;
      sli: number | null;
      error_budget_remaining: number | null;
      burn_rate: number | null;
    };
    ServiceObjectivesView: {
      items: components['schemas']['ServiceObjectiveView'][];
      /** @enum {string} */
      source: 'prometheus' | 'none';
      error: string | null;
    };
    /** @description The session of whoever asks. `name` is that of the token, `expires` the end of a browser's session. */
    SessionView: {
      /** @enum {string} */
      role: 'viewer' | 'operator';
      name: string | null;
      expires: number | null;
      version: string;
    };
    SourcesView: {
      /** @enum {string} */
      processingRate: 'prometheus' | 'gateway';
      /** @enum {string} */
      avgLatency: 'prometheus' | 'gateway';
      /** @enum {string} */
      queueDepth: 'prometheus' | 'gateway';
      /** @enum {string} */
      latency: 'prometheus' | 'gateway';
      /** @enum {string} */
      notComputed: 'prometheus' | 'gateway';
      /** @enum {string} */
      errors: 'prometheus' | 'gateway';
      /** @enum {string} */
      nodes: 'prometheus' | 'gateway';
    };
    /** @description The gateway's state in a word; `missing` names what it lacks to do its work. */
    StatusView: {
      status: string;
      missing: string[];
    };
    /**
     * @description The verdict on a frame, as a word and in `words`. `reason` is the word that metrics and dead letters have for it;
     *     `remedy` says what to do, null where nothing is to be done. `frame_id` is the one under which it was found.
     */
    WhyView: {
      frame_id: string;
      camera_id: string | null;
      /** @enum {string} */
      verdict: 'computed' | 'expired' | 'dead_lettered' | 'retried_waiting' | 'repeated' | 'unknown';
      words: string;
      reason: string | null;
      remedy: string | null;
      hops: components['schemas']['HopView'][];
      witnesses: components['schemas']['WitnessView'][];
      links: components['schemas']['ReferenceView'][];
    };
    /**
     * @description The cameras of this subscription whose pictures do not come: nobody knows them (yet), or more pictures are wanted
     *     than a gateway may watch cameras, and others have a right to theirs. All of them, whenever it changes.
     */
    WithheldMessage: {
      crowded: string[];
    };
    /** @description What one place says of the frame. `not_asked`: the words say why it was not; `unavailable`: it did not answer. */
    WitnessView: {
      /** @enum {string} */
      place: 'history' | 'dead_letters' | 'camera' | 'queues' | 'metrics' | 'logs';
      /** @enum {string} */
      state: 'found' | 'nothing' | 'unavailable' | 'not_asked';
      words: string;
    };
    /** @description A dashboard has painted a frame `age` seconds after its capture. */
    Painted: {
      /** @enum {unknown} */
      type: 'painted';
      frame_id: string;
      age: number;
    };
    /** @description Change the subscription: an absent field stays as it is, `null` means any. All conditions hold together. */
    Subscribe: {
      /** @enum {unknown} */
      type: 'subscribe';
      cameras?: string[] | null;
      groups?: string[] | null;
      nodes?: string[] | null;
      detections?: boolean;
      pictures?: string[];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type ActivityPointView = components['schemas']['ActivityPointView'];
export type ActivityView = components['schemas']['ActivityView'];
export type AlertView = components['schemas']['AlertView'];
export type AlertsView = components['schemas']['AlertsView'];
export type CameraView = components['schemas']['CameraView'];
export type DesiredModelsView = components['schemas']['DesiredModelsView'];
export type DetectedObject = components['schemas']['DetectedObject'];
export type DetectionView = components['schemas']['DetectionView'];
export type EventCountView = components['schemas']['EventCountView'];
export type EventFrameView = components['schemas']['EventFrameView'];
export type EventView = components['schemas']['EventView'];
export type EventsSeenView = components['schemas']['EventsSeenView'];
export type EventsView = components['schemas']['EventsView'];
export type GoneCamera = components['schemas']['GoneCamera'];
export type HelloMessage = components['schemas']['HelloMessage'];
export type HistoryView = components['schemas']['HistoryView'];
export type HopView = components['schemas']['HopView'];
export type LatencyView = components['schemas']['LatencyView'];
export type LinkView = components['schemas']['LinkView'];
export type MetricsView = components['schemas']['MetricsView'];
export type ModelView = components['schemas']['ModelView'];
export type ModelsView = components['schemas']['ModelsView'];
export type NodeFiguresView = components['schemas']['NodeFiguresView'];
export type NodeView = components['schemas']['NodeView'];
export type NodesView = components['schemas']['NodesView'];
export type ObjectivesView = components['schemas']['ObjectivesView'];
export type ProblemView = components['schemas']['ProblemView'];
export type ReferenceView = components['schemas']['ReferenceView'];
export type Result = components['schemas']['Result'];
export type ServiceObjectiveView = components['schemas']['ServiceObjectiveView'];
export type ServiceObjectivesView = components['schemas']['ServiceObjectivesView'];
export type SessionView = components['schemas']['SessionView'];
export type SourcesView = components['schemas']['SourcesView'];
export type StatusView = components['schemas']['StatusView'];
export type WhyView = components['schemas']['WhyView'];
export type WithheldMessage = components['schemas']['WithheldMessage'];
export type WitnessView = components['schemas']['WitnessView'];
export type Painted = components['schemas']['Painted'];
export type Subscribe = components['schemas']['Subscribe'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

export const CONTENT_TYPES = ['image/jpeg', 'image/png'] as const;

export const CAMERA_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function readActivityPointView(value: unknown): ActivityPointView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  const with_detections = r.number(value['with_detections']);
  if (with_detections === null) return null;
  const faces = r.number(value['faces']);
  if (faces === null) return null;
  const expired = r.number(value['expired']);
  if (expired === null) return null;
  return { time, frames, with_detections, faces, expired };
}

export function readActivityView(value: unknown): ActivityView | null {
  if (!r.isFields(value)) return null;
  const step = r.number(value['step']);
  if (step === null) return null;
  const items = r.list(value['items'], readActivityPointView);
  if (items === null) return null;
  return { step, items };
}

export function readAlertView(value: unknown): AlertView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const severity = r.string(value['severity']);
  if (severity === null) return null;
  const state = r.one(value['state'], ['firing', 'pending']);
  if (state === null) return null;
  const summary = r.string(value['summary']);
  if (summary === null) return null;
  const description = r.string(value['description']);
  if (description === null) return null;
  const runbook = r.string(value['runbook']);
  if (runbook === null) return null;
  return { name, severity, state, summary, since: r.number(value['since']), description, runbook };
}

export function readAlertsView(value: unknown): AlertsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readAlertView);
  if (items === null) return null;
  const source = r.one(value['source'], ['prometheus', 'none']);
  if (source === null) return null;
  return { items, source, error: r.string(value['error']) };
}

export function readCameraView(value: unknown): CameraView | null {
  if (!r.isFields(value)) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  const state = r.one(value['state'], [
    'connecting',
    'live',
    'degraded',
    'stalled',
    'offline',
    'disabled',
    'quiet',
    'unknown',
  ]);
  if (state === null) return null;
  return {
    camera_id,
    state,
    reason: r.text(value['reason']),
    since: r.number(value['since']),
    name: r.text(value['name']),
    group: r.text(value['group']),
    location: r.text(value['location']),
    district: r.text(value['district']),
    still: r.boolean(value['still']) ?? false,
    fps: r.number(value['fps']),
    last_result: r.number(value['last_result']),
    faces: r.number(value['faces']),
    latency: r.number(value['latency']),
    width: r.positive(value['width']),
    height: r.positive(value['height']),
    producer_id: r.text(value['producer_id']),
    sender: r.text(value['sender']),
  };
}

export function readDesiredModelsView(value: unknown): DesiredModelsView | null {
  if (!r.isFields(value)) return null;
  const revision = r.number(value['revision']);
  if (revision === null) return null;
  const lanes = r.record(value['lanes'], r.string);
  if (lanes === null) return null;
  const cameras = r.record(value['cameras'], r.string);
  if (cameras === null) return null;
  return { revision, cluster: r.string(value['cluster']), lanes, cameras };
}

export function readDetectedObject(value: unknown): DetectedObject | null {
  if (!r.isFields(value)) return null;
  const x = r.number(value['x']);
  if (x === null) return null;
  const y = r.number(value['y']);
  if (y === null) return null;
  const w = r.positive(value['w']);
  if (w === null) return null;
  const h = r.positive(value['h']);
  if (h === null) return null;
  return { x, y, w, h, confidence: r.number(value['confidence']), label: r.text(value['label']) ?? 'face' };
}

export function readDetectionView(value: unknown): DetectionView | null {
  if (!r.isFields(value)) return null;
  const x = r.number(value['x']);
  if (x === null) return null;
  const y = r.number(value['y']);
  if (y === null) return null;
  const w = r.number(value['w']);
  if (w === null) return null;
  const h = r.number(value['h']);
  if (h === null) return null;
  const confidence = r.number(value['confidence']);
  if (confidence === null) return null;
  const label = r.string(value['label']);
  if (label === null) return null;
  const landmarks = r.list(value['landmarks'], (item: unknown) => r.list(item, r.number));
  if (landmarks === null) return null;
  return { x, y, w, h, confidence, label, landmarks };
}

export function readEventCountView(value: unknown): EventCountView | null {
  if (!r.isFields(value)) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  const newest = r.number(value['newest']);
  if (newest === null) return null;
  return { count, newest };
}

export function readEventFrameView(value: unknown): EventFrameView | null {
  if (!r.isFields(value)) return null;
  const frame_id = r.string(value['frame_id']);
  if (frame_id === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const width = r.number(value['width']);
  if (width === null) return null;
  const height = r.number(value['height']);
  if (height === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const detections = r.list(value['detections'], readDetectionView);
  if (detections === null) return null;
  return { frame_id, time, width, height, model, detections };
}

export function readEventView(value: unknown): EventView | null {
  if (!r.isFields(value)) return null;
  const event_id = r.number(value['event_id']);
  if (event_id === null) return null;
  const camera_id = r.string(value['camera_id']);
  if (camera_id === null) return null;
  const start = r.number(value['start']);
  if (start === null) return null;
  const end = r.number(value['end']);
  if (end === null) return null;
  const open = r.boolean(value['open']);
  if (open === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  const faces = r.number(value['faces']);
  if (faces === null) return null;
  const confidence = r.number(value['confidence']);
  if (confidence === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  return {
    event_id,
    camera_id,
    name: r.string(value['name']),
    group: r.string(value['group']),
    start,
    end,
    open,
    frames,
    faces,
    confidence,
    model,
    thumbnail: r.string(value['thumbnail']),
    picture: r.string(value['picture']),
    frame: readEventFrameView(value['frame']),
    seen_at: r.number(value['seen_at']),
    seen_by: r.string(value['seen_by']),
    feedback: r.one(value['feedback'], ['wrong', 'missed']),
    note: r.string(value['note']),
    feedback_at: r.number(value['feedback_at']),
    feedback_by: r.string(value['feedback_by']),
  };
}

export function readEventsSeenView(value: unknown): EventsSeenView | null {
  if (!r.isFields(value)) return null;
  const marked = r.number(value['marked']);
  if (marked === null) return null;
  const left = r.number(value['left']);
  if (left === null) return null;
  return { marked, left };
}

export function readEventsView(value: unknown): EventsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readEventView);
  if (items === null) return null;
  return { items, next: r.string(value['next']) };
}

export function readGoneCamera(value: unknown): GoneCamera | null {
  if (!r.isFields(value)) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  const gone = r.one(value['gone'], [true]);
  if (gone === null) return null;
  return { camera_id, gone };
}

export function readHelloMessage(value: unknown): HelloMessage | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  return { time, staleness: r.positive(value['staleness']) ?? 2, version: r.text(value['version']) ?? '' };
}

export function readHistoryView(value: unknown): HistoryView | null {
  if (!r.isFields(value)) return null;
  const step = r.number(value['step']);
  if (step === null) return null;
  const source = r.one(value['source'], ['prometheus', 'gateway']);
  if (source === null) return null;
  const series = r.record(value['series'], (item: unknown) => r.list(item, r.point));
  if (series === null) return null;
  return { step, source, series };
}

export function readHopView(value: unknown): HopView | null {
  if (!r.isFields(value)) return null;
  const hop = r.one(value['hop'], ['captured', 'queued', 'computed', 'recorded', 'expired', 'dead_letter']);
  if (hop === null) return null;
  return {
    hop,
    time: r.number(value['time']),
    seconds: r.number(value['seconds']),
    node_id: r.string(value['node_id']),
    detail: r.string(value['detail']),
  };
}

export function readLatencyView(value: unknown): LatencyView | null {
  if (!r.isFields(value)) return null;

  return { p50: r.number(value['p50']), p95: r.number(value['p95']), p99: r.number(value['p99']) };
}

export function readLinkView(value: unknown): LinkView | null {
  if (!r.isFields(value)) return null;
  const link = r.string(value['link']);
  if (link === null) return null;
  const expires = r.number(value['expires']);
  if (expires === null) return null;
  return { link, expires };
}

export function readMetricsView(value: unknown): MetricsView | null {
  if (!r.isFields(value)) return null;
  const latency = readLatencyView(value['latency']);
  if (latency === null) return null;
  const failedByReason = r.record(value['failedByReason'], r.number);
  if (failedByReason === null) return null;
  const nodes = r.list(value['nodes'], readNodeFiguresView);
  if (nodes === null) return null;
  const workers = r.number(value['workers']);
  if (workers === null) return null;
  const starting = r.boolean(value['starting']);
  if (starting === null) return null;
  const source = readSourcesView(value['source']);
  if (source === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const objectives = readObjectivesView(value['objectives']);
  if (objectives === null) return null;
  return {
    processingRate: r.number(value['processingRate']),
    avgLatency: r.number(value['avgLatency']),
    queueDepth: r.number(value['queueDepth']),
    latency,
    notComputed: r.number(value['notComputed']),
    errors: r.number(value['errors']),
    failedByReason,
    nodes,
    workers,
    starting,
    source,
    time,
    objectives,
    notices: r.list(value['notices'], r.string) ?? [],
    canary: r.string(value['canary']),
  };
}

export function readModelView(value: unknown): ModelView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const conflict = r.boolean(value['conflict']);
  if (conflict === null) return null;
  const states = r.record(value['states'], r.string);
  if (states === null) return null;
  const errors = r.record(value['errors'], r.string);
  if (errors === null) return null;
  return { name, licence: r.string(value['licence']), conflict, states, errors };
}

export function readModelsView(value: unknown): ModelsView | null {
  if (!r.isFields(value)) return null;
  const models = r.list(value['models'], readModelView);
  if (models === null) return null;
  const desired = readDesiredModelsView(value['desired']);
  if (desired === null) return null;
  return { models, desired };
}

export function readNodeFiguresView(value: unknown): NodeFiguresView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  return { node_id, fps: r.number(value['fps']), busy: r.number(value['busy']), p95: r.number(value['p95']) };
}

export function readNodeView(value: unknown): NodeView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.text(value['node_id']);
  if (node_id === null) return null;
  const state = r.one(value['state'], ['running', 'draining', 'lost', 'unknown']);
  if (state === null) return null;
  return {
    node_id,
    state,
    lane: r.text(value['lane']),
    model: r.text(value['model']),
    detector: r.text(value['detector']),
    fallback: r.text(value['fallback']),
    fps: r.number(value['fps']),
    busy: r.number(value['busy']),
    since: r.number(value['since']),
    last_seen: r.number(value['last_seen']),
    desired: r.number(value['desired']) ?? 0,
    model_error: r.text(value['model_error']),
    settled: r.boolean(value['settled']) ?? true,
  };
}

export function readNodesView(value: unknown): NodesView | null {
  if (!r.isFields(value)) return null;

  return { expected: r.number(value['expected']) };
}

export function readObjectivesView(value: unknown): ObjectivesView | null {
  if (!r.isFields(value)) return null;

  return {
    latencyP95: r.number(value['latencyP95']) ?? 0.5,
    queueDepth: r.number(value['queueDepth']) ?? 300,
    notComputed: r.number(value['notComputed']) ?? 0.01,
    errors: r.number(value['errors']) ?? 0,
  };
}

export function readProblemView(value: unknown): ProblemView | null {
  if (!r.isFields(value)) return null;
  const error = r.text(value['error']);
  if (error === null) return null;
  return { error };
}

export function readReferenceView(value: unknown): ReferenceView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const href = r.string(value['href']);
  if (href === null) return null;
  return { name, href };
}

export function readResult(value: unknown): Result | null {
  if (!r.isFields(value)) return null;
  const original_timestamp = r.number(value['original_timestamp']);
  if (original_timestamp === null) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  return {
    timestamp: r.number(value['timestamp']) ?? 0,
    original_timestamp,
    node_id: r.text(value['node_id']) ?? '',
    detections: r.list(value['detections'], readDetectedObject) ?? [],
    camera_id,
    frame_id: r.text(value['frame_id']) ?? '',
    width: r.positive(value['width']),
    height: r.positive(value['height']),
    model: r.text(value['model']),
  };
}

export function readServiceObjectiveView(value: unknown): ServiceObjectiveView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const objective = r.number(value['objective']);
  if (objective === null) return null;
  const window_days = r.number(value['window_days']);
  if (window_days === null) return null;
  const known_seconds = r.number(value['known_seconds']);
  if (known_seconds === null) return null;
  return {
    name,
    objective,
    window_days,
    known_seconds,
    sli: r.number(value['sli']),
    error_budget_remaining: r.number(value['error_budget_remaining']),
    burn_rate: r.number(value['burn_rate']),
  };
}

export function readServiceObjectivesView(value: unknown): ServiceObjectivesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readServiceObjectiveView);
  if (items === null) return null;
  const source = r.one(value['source'], ['prometheus', 'none']);
  if (source === null) return null;
  return { items, source, error: r.string(value['error']) };
}

export function readSessionView(value: unknown): SessionView | null {
  if (!r.isFields(value)) return null;
  const role = r.one(value['role'], ['viewer', 'operator']);
  if (role === null) return null;
  const version = r.string(value['version']);
  if (version === null) return null;
  return { role, name: r.string(value['name']), expires: r.number(value['expires']), version };
}

export function readSourcesView(value: unknown): SourcesView | null {
  if (!r.isFields(value)) return null;
  const processingRate = r.one(value['processingRate'], ['prometheus', 'gateway']);
  if (processingRate === null) return null;
  const avgLatency = r.one(value['avgLatency'], ['prometheus', 'gateway']);
  if (avgLatency === null) return null;
  const queueDepth = r.one(value['queueDepth'], ['prometheus', 'gateway']);
  if (queueDepth === null) return null;
  const latency = r.one(value['latency'], ['prometheus', 'gateway']);
  if (latency === null) return null;
  const notComputed = r.one(value['notComputed'], ['prometheus', 'gateway']);
  if (notComputed === null) return null;
  const errors = r.one(value['errors'], ['prometheus', 'gateway']);
  if (errors === null) return null;
  const nodes = r.one(value['nodes'], ['prometheus', 'gateway']);
  if (nodes === null) return null;
  return { processingRate, avgLatency, queueDepth, latency, notComputed, errors, nodes };
}

export function readStatusView(value: unknown): StatusView | null {
  if (!r.isFields(value)) return null;
  const status = r.text(value['status']);
  if (status === null) return null;
  return { status, missing: r.list(value['missing'], r.text) ?? [] };
}

export function readWhyView(value: unknown): WhyView | null {
  if (!r.isFields(value)) return null;
  const frame_id = r.string(value['frame_id']);
  if (frame_id === null) return null;
  const verdict = r.one(value['verdict'], [
    'computed',
    'expired',
    'dead_lettered',
    'retried_waiting',
    'repeated',
    'unknown',
  ]);
  if (verdict === null) return null;
  const words = r.string(value['words']);
  if (words === null) return null;
  const hops = r.list(value['hops'], readHopView);
  if (hops === null) return null;
  const witnesses = r.list(value['witnesses'], readWitnessView);
  if (witnesses === null) return null;
  const links = r.list(value['links'], readReferenceView);
  if (links === null) return null;
  return {
    frame_id,
    camera_id: r.string(value['camera_id']),
    verdict,
    words,
    reason: r.string(value['reason']),
    remedy: r.string(value['remedy']),
    hops,
    witnesses,
    links,
  };
}

export function readWithheldMessage(value: unknown): WithheldMessage | null {
  if (!r.isFields(value)) return null;

  return { crowded: r.list(value['crowded'], r.text) ?? [] };
}

export function readWitnessView(value: unknown): WitnessView | null {
  if (!r.isFields(value)) return null;
  const place = r.one(value['place'], ['history', 'dead_letters', 'camera', 'queues', 'metrics', 'logs']);
  if (place === null) return null;
  const state = r.one(value['state'], ['found', 'nothing', 'unavailable', 'not_asked']);
  if (state === null) return null;
  const words = r.string(value['words']);
  if (words === null) return null;
  return { place, state, words };
}
