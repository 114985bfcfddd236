import { afterEach, expect, it, vi } from 'vitest';
import type { Surface } from '../src/lib/paint';
import { Pictures } from '../src/lib/pictures';
import type { Picture } from '../src/lib/protocol';

const picture = (camera: string, number: number): Picture => ({
  result: {
    camera_id: camera,
    frame_id: `${camera}:${number}`,
    width: 4,
    height: 3,
    detections: [],
  } as unknown as Picture['result'],
  contentType: 'image/jpeg',
  image: new Uint8Array([number]),
});
const surface = {
  context: null,
  room: { x: 0, y: 0, width: 0, height: 0 },
  layers: { boxes: false, scores: false, landmarks: false },
  says: { dataset: {} },
} as unknown as Surface;

function pictures() {
  const decoded: number[] = [];
  vi.stubGlobal('requestAnimationFrame', () => 1);
  vi.stubGlobal('createImageBitmap', async (blob: Blob) => {
    decoded.push(new Uint8Array(await blob.arrayBuffer())[0] ?? -1);
    return { close: () => undefined };
  });
  return { own: new Pictures(), decoded };
}
const settle = () => new Promise((done) => setTimeout(done, 20));

afterEach(() => void vi.unstubAllGlobals());

it('keeps the newest picture of a camera that will be shown, and decodes it only then', async () => {
  const { own, decoded } = pictures();
  own.expect(['a']);
  own.receive(picture('a', 1));
  own.receive(picture('a', 2));
  await settle();
  expect(decoded).toEqual([]);
  own.attach('a', surface, () => undefined);
  await settle();
  expect(decoded).toEqual([2]);
});

it('keeps nothing of cameras that nobody expects, nor of those that are no longer expected', async () => {
  const { own, decoded } = pictures();
  own.receive(picture('a', 1));
  own.expect(['b']);
  own.receive(picture('b', 2));
  own.expect([]);
  for (const camera of ['a', 'b']) own.attach(camera, surface, () => undefined);
  await settle();
  expect(decoded).toEqual([]);
});

it('decodes what is shown once more when its room has grown, and tells nobody that it was painted again', async () => {
  const sizes: (number | undefined)[] = [];
  const nothing = () => undefined;
  const drawing = ['save', 'restore', 'beginPath', 'rect', 'clip', 'drawImage', 'strokeRect', 'fillRect'];
  const context = Object.fromEntries(drawing.map((name) => [name, nothing]));
  const room = { x: 0, y: 0, width: 80, height: 60 };
  const layers = { boxes: false, scores: false, landmarks: false };
  const own = { context, room, corner: 0, ratio: 1, layers, stale: false, says: { dataset: {} } };
  const frames: ((now: number) => void)[] = [];
  vi.stubGlobal('requestAnimationFrame', (call: (now: number) => void) => frames.push(call));
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue: () => '' }));
  vi.stubGlobal('createImageBitmap', (_: Blob, { resizeWidth = 640 }: ImageBitmapOptions) => {
    sizes.push(resizeWidth);
    return Promise.resolve({ width: resizeWidth, height: (resizeWidth * 3) / 4, close: () => undefined });
  });
  const painted = vi.fn();
  const pictures = new Pictures();
  const attached = pictures.attach('a', own as unknown as Surface, painted);
  const result = { camera_id: 'a', frame_id: 'a:1', width: 640, height: 480, detections: [] };
  pictures.receive({ ...picture('a', 1), result: result as unknown as Picture['result'] });
  await settle();
  frames[0]?.(1_000);
  attached.repaint();
  await settle();
  [room.width, room.height] = [640, 480];
  attached.repaint();
  await settle();
  attached.repaint();
  await settle();
  expect(sizes).toEqual([80, 640]);
  expect(painted).toHaveBeenCalledOnce();
});

it('paints the last picture again in a view that opens in the place of another', async () => {
  const frames: ((now: number) => void)[] = [];
  const { own, decoded } = pictures();
  vi.stubGlobal('requestAnimationFrame', (call: (now: number) => void) => frames.push(call));
  const told: unknown[] = [];
  const painted = (result: Picture['result'], arrived: number, again: boolean) =>
    told.push([result.frame_id, arrived, again]);
  const large = own.attach('a', surface, painted);
  own.receive(picture('a', 1));
  await settle();
  frames.shift()?.(1_000);
  large.detach();
  const tile = own.attach('a', surface, painted);
  await settle();
  frames.shift()?.(2_000);
  expect(decoded).toEqual([1, 1]);
  expect(told).toEqual([
    ['a:1', expect.any(Number), false],
    ['a:1', (told[0] as number[])[1], true],
  ]);
  vi.useFakeTimers();
  tile.detach();
  vi.advanceTimersByTime(1_001);
  vi.useRealTimers();
  own.attach('a', surface, painted);
  await settle();
  expect(decoded).toEqual([1, 1]);
});
