/**
 * The wire format of `/ws/results`, sub-protocol `framefleet.v1`: the messages around the shapes, which generated
 * readers read. No sockets, no state.
 *
 * Readers ignore fields that they do not know. Whatever is malformed decodes to `null`, never throws: one bad
 * message must not cost the stream.
 */

import {
  type CameraView,
  type HelloMessage,
  type NodeView,
  type Painted,
  type Result,
  type Subscribe,
  type WithheldMessage,
  CONTENT_TYPES,
  readCameraView,
  readGoneCamera,
  readHelloMessage,
  readNodeView,
  readResult as readFields,
  readWithheldMessage,
} from './contract.gen';
import { type Fields, isFields, list } from './values';

export const SUBPROTOCOL = 'framefleet.v1';

export type CameraState = CameraView['state'];
export type NodeState = NodeView['state'];

/** A picture and the result that was found in it. */
export interface Picture {
  result: Result;
  contentType: (typeof CONTENT_TYPES)[number];
  image: Uint8Array<ArrayBuffer>;
}

/** The states of a camera in the order in which they are shown. */
export const CAMERA_STATES = Object.keys({
  live: 0,
  degraded: 0,
  stalled: 0,
  offline: 0,
  connecting: 0,
  disabled: 0,
  quiet: 0,
  unknown: 0,
} satisfies Record<CameraState, 0>) as CameraState[];

export type ServerMessage =
  | ({ type: 'hello' } & HelloMessage)
  | { type: 'results'; results: Result[] }
  | { type: 'nodes'; items: NodeView[] }
  | ({ type: 'withheld' } & WithheldMessage)
  /** `gone`: cameras that are forgotten. */
  | { type: 'cameras'; items: CameraView[]; gone: string[] };

export type ClientMessage = Subscribe | Painted;

export function readResult(value: unknown): Result | null {
  // An expired frame was not computed: it says nothing about what was seen.
  if (isFields(value) && value['status'] !== undefined && value['status'] !== 'ok') return null;
  const result = readFields(value);
  if (result === null) return null;
  result.frame_id ||= `${result.camera_id}:${result.original_timestamp}`;
  result.timestamp ||= result.original_timestamp;
  return result;
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
      const hello = readHelloMessage(message);
      return hello === null ? null : { type: 'hello', ...hello };
    }
    case 'results':
      return { type: 'results', results: list(message['results'], readResult) ?? [] };
    case 'nodes':
      return { type: 'nodes', items: list(message['items'], readNodeView) ?? [] };
    case 'withheld': {
      const withheld = readWithheldMessage(message);
      return withheld === null ? null : { type: 'withheld', ...withheld };
    }
    case 'cameras': {
      const gone = list(message['items'], readGoneCamera) ?? [];
      return {
        type: 'cameras',
        items: list(message['items'], readCameraView) ?? [],
        gone: gone.map(({ camera_id }) => camera_id),
      };
    }
    default:
      return null;
  }
}

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
  const contentType = CONTENT_TYPES.find((known) => known === fields?.['content_type']);
  if (result === null || contentType === undefined) return null;
  return { result, contentType, image: new Uint8Array(buffer, 4 + length) };
}
