/**
 * The wire format of `/ws/results`, sub-protocol `framefleet.v1`: decoding only, no sockets, no state.
 *
 * Readers ignore fields that they do not know. Whatever is malformed decodes to `null`, never throws: one bad
 * message must not cost the stream.
 */

export const SUBPROTOCOL = 'framefleet.v1';

/** A box in pixels of the original frame, top-left origin. */
export interface Detection {
  x: number;
  y: number;
  w: number;
  h: number;
  /** 0 to 1, or `null` where the detector gives none. */
  confidence: number | null;
  label: string;
}

/** What a worker found in one frame. Times are Unix seconds. */
export interface Result {
  camera_id: string;
  frame_id: string;
  timestamp: number;
  /** When the frame was captured. */
  original_timestamp: number;
  node_id: string;
  /** Pixels of the frame; `null` where the result does not say. */
  width: number | null;
  height: number | null;
  model: string | null;
  detections: Detection[];
}

/** A picture and the result that was found in it. */
export interface Picture {
  result: Result;
  contentType: string;
  image: Uint8Array<ArrayBuffer>;
}

export const CAMERA_STATES = ['live', 'degraded', 'stalled', 'offline', 'connecting', 'disabled'] as const;
export type CameraState = (typeof CAMERA_STATES)[number];

/** What the gateway knows of a camera. Times are Unix seconds, `latency` seconds. */
export interface CameraInfo {
  camera_id: string;
  state: CameraState;
  reason: string | null;
  since: number | null;
  /** What people call it, and where it is. */
  name: string | null;
  group: string | null;
  location: string | null;
  district: string | null;
  /** Its last picture shows what there is now, however old: later frames showed nothing new. */
  still: boolean;
  /** Results a second; changes are told from 30 % on. */
  fps: number | null;
  last_result: number | null;
  faces: number | null;
  latency: number | null;
  width: number | null;
  height: number | null;
  producer_id: string | null;
}

export const NODE_STATES = ['running', 'draining', 'lost'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** A worker. `busy` is 0 to 1. */
export interface NodeInfo {
  node_id: string;
  state: NodeState;
  lane: string | null;
  model: string | null;
  detector: string | null;
  /** Why the detector is not the one that was asked for, if so. */
  fallback: string | null;
  fps: number | null;
  busy: number | null;
  since: number | null;
  last_seen: number | null;
  /** Revision of the desired models that it acts on; 0: none. */
  desired: number;
  /** Why it does not compute with the models desired of it. */
  model_error: string | null;
  /** Whether it does. */
  settled: boolean;
}

export type ServerMessage =
  | { type: 'hello'; time: number; staleness: number; version: string }
  | { type: 'results'; results: Result[] }
  | { type: 'nodes'; items: NodeInfo[] }
  /** `gone`: cameras that are forgotten. */
  | { type: 'cameras'; items: CameraInfo[]; gone: string[] };

/** Cameras whose results, and whose pictures, this page wants. */
export interface Subscription {
  type: 'subscribe';
  cameras: string[] | null;
  pictures: string[];
}

/** Seconds from a frame's capture to its paint, sampled. */
export interface Painted {
  type: 'painted';
  frame_id: string;
  age: number;
}

export type ClientMessage = Subscription | Painted;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const size = (value: unknown): number | null => {
  const pixels = number(value);
  return pixels !== null && pixels > 0 ? pixels : null;
};

function list<T>(value: unknown, read: (item: unknown) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.map(read).filter((item): item is T => item !== null);
}

function readDetection(value: unknown): Detection | null {
  if (!isFields(value)) return null;
  const [x, y, w, h] = [number(value['x']), number(value['y']), number(value['w']), number(value['h'])];
  if (x === null || y === null || w === null || h === null || w <= 0 || h <= 0) return null;
  return { x, y, w, h, confidence: number(value['confidence']), label: text(value['label']) ?? 'face' };
}

export function readResult(value: unknown): Result | null {
  if (!isFields(value)) return null;
  // An expired frame was not computed: it says nothing about what was seen.
  if (value['status'] !== undefined && value['status'] !== 'ok') return null;
  const camera = text(value['camera_id']);
  const captured = number(value['original_timestamp']);
  if (camera === null || captured === null) return null;
  return {
    camera_id: camera,
    frame_id: text(value['frame_id']) ?? `${camera}:${captured}`,
    timestamp: number(value['timestamp']) ?? captured,
    original_timestamp: captured,
    node_id: text(value['node_id']) ?? '',
    width: size(value['width']),
    height: size(value['height']),
    model: text(value['model']),
    detections: list(value['detections'], readDetection),
  };
}

export function readCamera(value: unknown): CameraInfo | null {
  if (!isFields(value)) return null;
  const camera = text(value['camera_id']);
  const state = CAMERA_STATES.find((known) => known === value['state']);
  if (camera === null || state === undefined) return null;
  return {
    camera_id: camera,
    state,
    reason: text(value['reason']),
    since: number(value['since']),
    name: text(value['name']),
    group: text(value['group']),
    location: text(value['location']),
    district: text(value['district']),
    still: value['still'] === true,
    fps: number(value['fps']),
    last_result: number(value['last_result']),
    faces: number(value['faces']),
    latency: number(value['latency']),
    width: size(value['width']),
    height: size(value['height']),
    producer_id: text(value['producer_id']),
  };
}

const readGone = (value: unknown): string | null =>
  isFields(value) && value['gone'] === true ? text(value['camera_id']) : null;

export function readNode(value: unknown): NodeInfo | null {
  if (!isFields(value)) return null;
  const node = text(value['node_id']);
  const state = NODE_STATES.find((known) => known === value['state']);
  if (node === null || state === undefined) return null;
  return {
    node_id: node,
    state,
    lane: text(value['lane']),
    model: text(value['model']),
    detector: text(value['detector']),
    fallback: text(value['fallback']),
    fps: number(value['fps']),
    busy: number(value['busy']),
    since: number(value['since']),
    last_seen: number(value['last_seen']),
    desired: number(value['desired']) ?? 0,
    model_error: text(value['model_error']),
    settled: value['settled'] !== false,
  };
}

function parse(json: string): Fields | null {
  try {
    const value: unknown = JSON.parse(json);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

/** A text message, or `null` when it is malformed or of a type that this version does not know. */
export function decodeText(json: string): ServerMessage | null {
  const message = parse(json);
  switch (message?.['type']) {
    case 'hello': {
      const time = number(message['time']);
      if (time === null) return null;
      const staleness = number(message['staleness']);
      return {
        type: 'hello',
        time,
        staleness: staleness !== null && staleness > 0 ? staleness : 2,
        version: text(message['version']) ?? '',
      };
    }
    case 'results':
      return { type: 'results', results: list(message['results'], readResult) };
    case 'nodes':
      return { type: 'nodes', items: list(message['items'], readNode) };
    case 'cameras':
      return {
        type: 'cameras',
        items: list(message['items'], readCamera),
        gone: list(message['items'], readGone),
      };
    default:
      return null;
  }
}

const IMAGE_TYPES = ['image/jpeg', 'image/png'];
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A binary message: uint32 N (big-endian), N bytes of result JSON, then the image.
 * `null` when anything about it is wrong. The image is a view of `buffer`, not a copy.
 */
export function decodePicture(buffer: ArrayBuffer): Picture | null {
  if (buffer.byteLength < 4) return null;
  const length = new DataView(buffer).getUint32(0);
  // `>=`: a picture without image bytes is malformed too.
  if (4 + length >= buffer.byteLength) return null;
  let json: string;
  try {
    json = utf8.decode(new Uint8Array(buffer, 4, length));
  } catch {
    return null;
  }
  const fields = parse(json);
  const result = readResult(fields);
  const contentType = IMAGE_TYPES.find((known) => known === fields?.['content_type']);
  if (result === null || contentType === undefined) return null;
  return { result, contentType, image: new Uint8Array(buffer, 4 + length) };
}
