import { describe, expect, it } from 'vitest';
import { decodePicture, decodeText, readResult } from '../src/lib/protocol';

const RESULT = {
  timestamp: 1795216000.2,
  original_timestamp: 1795216000.1,
  node_id: 'a1',
  camera_id: 'gate-3',
  frame_id: 'gate-3:1:2',
  width: 640,
  height: 480,
  model: 'yunet@eb',
  status: 'ok',
  schema: 1,
  later: 'ignored',
  detections: [{ x: 1, y: 2, w: 3, h: 4, confidence: 0.9, label: 'face', landmarks: [[1, 2]] }],
};

function binary(json: string | Uint8Array, image: Uint8Array, length?: number): ArrayBuffer {
  const head = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  const bytes = new Uint8Array(4 + head.length + image.length);
  new DataView(bytes.buffer).setUint32(0, length ?? head.length);
  bytes.set(head, 4);
  bytes.set(image, 4 + head.length);
  return bytes.buffer;
}

describe('text messages', () => {
  it('reads hello, and assumes the usual budget where none is told', () => {
    expect(decodeText('{"type":"hello","time":5,"staleness":3,"version":"0.1.0"}')).toEqual({
      type: 'hello',
      time: 5,
      staleness: 3,
      version: '0.1.0',
    });
    expect(decodeText('{"type":"hello","time":5,"staleness":-1}')).toMatchObject({
      staleness: 2,
      version: '',
    });
  });

  it('keeps good results of a batch with bad ones', () => {
    const message = decodeText(
      JSON.stringify({ type: 'results', results: [RESULT, null, 7, {}, { camera_id: 'x' }] }),
    );
    expect(message).toMatchObject({ type: 'results', results: [{ camera_id: 'gate-3', width: 640 }] });
    expect(message?.type === 'results' && message.results).toHaveLength(1);
  });

  it('does not know cameras and nodes in states that it does not know', () => {
    const cameras = decodeText(
      '{"type":"cameras","items":[{"camera_id":"a","state":"live"},{"camera_id":"b","state":"?"}]}',
    );
    expect(cameras).toMatchObject({ items: [{ camera_id: 'a', reason: null, fps: null }] });
    const nodes = decodeText(
      '{"type":"nodes","items":[{"node_id":"n","state":"running","busy":0.5},{"node_id":"m"}]}',
    );
    expect(nodes).toMatchObject({
      items: [{ node_id: 'n', busy: 0.5, desired: 0, model_error: null, settled: true }],
    });
  });

  it('reads what people call a camera, and which ones are forgotten', () => {
    const items = [
      { camera_id: 'a', state: 'live', name: 'Gate', district: 'Harbour', still: true },
      { camera_id: 'b', state: 'live', name: '', location: 7, still: 'yes' },
      { camera_id: 'c', gone: true },
      { camera_id: 'd', gone: 1 },
    ];
    const message = decodeText(JSON.stringify({ type: 'cameras', items }));
    expect(message).toMatchObject({
      items: [
        { camera_id: 'a', name: 'Gate', location: null, district: 'Harbour', still: true },
        { camera_id: 'b', name: null, location: null, district: null, still: false },
      ],
      gone: ['c'],
    });
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '"hello"',
    '7',
    '{}',
    '{"type":"hello"}',
    '{"type":"later"}',
    '{"type":7}',
  ])('gives nothing for %s', (json) => expect(decodeText(json)).toBeNull());

  it('survives lists that are none', () => {
    expect(decodeText('{"type":"results","results":{}}')).toEqual({ type: 'results', results: [] });
    expect(decodeText('{"type":"cameras"}')).toEqual({ type: 'cameras', items: [], gone: [] });
  });
});

describe('results', () => {
  it('drops impossible boxes and keeps the others', () => {
    const boxes = [
      { x: 1, y: 1, w: 0, h: 5 },
      { x: 1, y: 1, w: 5, h: 'a' },
      { x: 1, y: 1, w: 5, h: 5 },
    ];
    expect(readResult({ ...RESULT, detections: boxes })?.detections).toEqual([
      { x: 1, y: 1, w: 5, h: 5, confidence: null, label: 'face', landmarks: [] },
    ]);
  });

  it('ignores frames that were not computed', () =>
    expect(readResult({ ...RESULT, status: 'expired' })).toBeNull());

  it('needs no more than a camera and a capture time', () => {
    expect(readResult({ camera_id: 'a', original_timestamp: 5 })).toMatchObject({
      frame_id: 'a:5',
      timestamp: 5,
      width: null,
      detections: [],
    });
  });
});

describe('pictures', () => {
  const json = JSON.stringify({ ...RESULT, content_type: 'image/jpeg' });
  const image = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);

  it('reads the result and the image that belongs to it', () => {
    const picture = decodePicture(binary(json, image));
    expect(picture?.result.frame_id).toBe('gate-3:1:2');
    expect(picture?.contentType).toBe('image/jpeg');
    expect([...(picture?.image ?? [])]).toEqual([...image]);
  });

  it.each<[string, ArrayBuffer]>([
    ['nothing', new ArrayBuffer(0)],
    ['three bytes', new ArrayBuffer(3)],
    ['a length only', new ArrayBuffer(4)],
    ['a length past the end', binary(json, image, 1_000_000)],
    ['the greatest length', binary(json, image, 0xffffffff)],
    ['no image', binary(json, new Uint8Array())],
    ['no JSON', binary('', image)],
    ['cut JSON', binary(json.slice(0, 40), image)],
    ['JSON that is no object', binary('[1]', image)],
    ['bytes that are not UTF-8', binary(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), image)],
    ['no content type', binary(JSON.stringify(RESULT), image)],
    [
      'a content type that is no picture',
      binary(JSON.stringify({ ...RESULT, content_type: 'text/html' }), image),
    ],
    ['a result without a camera', binary('{"content_type":"image/jpeg","original_timestamp":1}', image)],
  ])('gives nothing for %s', (_, buffer) => expect(decodePicture(buffer)).toBeNull());
});
