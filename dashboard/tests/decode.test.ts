import { afterEach, expect, it, vi } from 'vitest';
import { decode, reducedSize } from '../src/lib/decode';

const image = new Uint8Array([1]);
const CAMERA = { width: 640, height: 480 };

afterEach(() => void vi.unstubAllGlobals());

/** Both ways of decoding; returns what each was asked for. */
function browser({ webcodecs, fails = false }: { webcodecs: boolean; fails?: boolean }) {
  const asked: { frames: unknown[]; bitmaps: unknown[]; closed: number } = {
    frames: [],
    bitmaps: [],
    closed: 0,
  };
  vi.stubGlobal('createImageBitmap', (_: Blob, options: unknown) => {
    asked.bitmaps.push(options);
    return Promise.resolve('bitmap');
  });
  if (webcodecs)
    vi.stubGlobal(
      'ImageDecoder',
      class {
        constructor(options: { desiredWidth?: number; desiredHeight?: number }) {
          asked.frames.push([options.desiredWidth, options.desiredHeight]);
        }
        decode() {
          return fails ? Promise.reject(new Error('odd')) : Promise.resolve({ image: 'frame' });
        }
        close() {
          asked.closed += 1;
        }
      },
    );
  return asked;
}

it('reduces by eighths to what is not smaller than shown', () => {
  expect(reducedSize(CAMERA, { width: 230, height: 172 })).toEqual({ width: 240, height: 180 });
  expect(reducedSize(CAMERA, { width: 240, height: 180 })).toEqual({ width: 240, height: 180 });
  expect(reducedSize(CAMERA, { width: 241, height: 181 })).toEqual({ width: 320, height: 240 });
  expect(reducedSize({ width: 1001, height: 501 }, { width: 10, height: 10 })).toEqual({
    width: 126,
    height: 63,
  });
  // A wide picture in a high tile is shown small.
  expect(reducedSize(CAMERA, { width: 80, height: 2000 })).toEqual({ width: 80, height: 60 });
});

it('reduces nothing that is shown in full, larger, or not at all', () => {
  for (const shown of [
    CAMERA,
    { width: 570, height: 430 },
    { width: 4000, height: 3000 },
    { width: 0, height: 0 },
  ])
    expect(reducedSize(CAMERA, shown)).toBeNull();
});

it('asks the decoder for the size that is needed, and closes it', async () => {
  const asked = browser({ webcodecs: true });
  expect(await decode(image, 'image/jpeg', CAMERA, { width: 230, height: 172 })).toBe('frame');
  expect(await decode(image, 'image/jpeg', null, { width: 230, height: 172 })).toBe('frame');
  expect(asked).toEqual({
    frames: [
      [240, 180],
      [undefined, undefined],
    ],
    bitmaps: [],
    closed: 2,
  });
});

it('takes the other way where there is no such decoder, and for what it does not take', async () => {
  let asked = browser({ webcodecs: false });
  expect(await decode(image, 'image/jpeg', CAMERA, { width: 230, height: 172 })).toBe('bitmap');
  expect(await decode(image, 'image/jpeg', CAMERA, { width: 480, height: 360 })).toBe('bitmap');
  expect(asked.bitmaps).toEqual([{ resizeWidth: 240, resizeHeight: 180, resizeQuality: 'medium' }, {}]);
  asked = browser({ webcodecs: true, fails: true });
  expect(await decode(image, 'image/png', CAMERA, null)).toBe('bitmap');
  expect([asked.frames.length, asked.bitmaps.length, asked.closed]).toEqual([1, 1, 1]);
});
