import { describe, expect, it } from 'vitest';
import { letterbox, placeBox, placeLabel } from '../src/lib/letterbox';

const FRAME = { width: 640, height: 480 };

describe('the picture', () => {
  it('is centred and never stretched', () => {
    expect(letterbox(FRAME, { width: 800, height: 480 })).toEqual({ x: 80, y: 0, width: 640, height: 480 });
    expect(letterbox(FRAME, { width: 320, height: 480 })).toEqual({ x: 0, y: 120, width: 320, height: 240 });
  });

  it('fills a canvas of its own proportions, at any scale', () => {
    expect(letterbox(FRAME, { width: 1920, height: 1440 })).toEqual({
      x: 0,
      y: 0,
      width: 1920,
      height: 1440,
    });
  });

  it('is empty for an impossible frame', () => {
    expect(letterbox({ width: 0, height: 480 }, FRAME)).toEqual({ x: 0, y: 0, width: 0, height: 0 });
  });
});

describe('boxes', () => {
  it('lie where they were found, their stroke inside', () => {
    const picture = letterbox(FRAME, { width: 800, height: 480 });
    expect(placeBox({ x: 100, y: 50, w: 60, h: 80 }, FRAME, picture, 2)).toEqual({
      x: 181,
      y: 51,
      width: 58,
      height: 78,
    });
  });

  it('have strokes on whole device pixels', () => {
    const picture = letterbox(FRAME, { width: 517, height: 301 });
    const box = placeBox({ x: 101.3, y: 57.7, w: 33.3, h: 44.4 }, FRAME, picture, 2);
    for (const edge of [box.x - 1, box.y - 1, box.x + box.width + 1, box.y + box.height + 1])
      expect(edge % 1).toBe(0);
  });

  it('are clipped to the picture', () => {
    const picture = letterbox(FRAME, { width: 800, height: 480 });
    const box = placeBox({ x: -50, y: 400, w: 2000, h: 500 }, FRAME, picture, 2);
    expect(box).toEqual({ x: 81, y: 401, width: 638, height: 78 });
  });

  it('scale with the picture', () => {
    const picture = letterbox(FRAME, { width: 1280, height: 960 });
    expect(placeBox({ x: 100, y: 50, w: 60, h: 80 }, FRAME, picture, 4)).toEqual({
      x: 202,
      y: 102,
      width: 116,
      height: 156,
    });
  });
});

describe('labels', () => {
  const picture = { x: 80, y: 0, width: 640, height: 480 };
  const size = { width: 30, height: 15 };
  const inside = (x: number, y: number) => {
    const label = placeLabel({ x, y, width: 40, height: 40 }, size, picture, 2);
    expect(label.x).toBeGreaterThanOrEqual(80);
    expect(label.y).toBeGreaterThanOrEqual(0);
    expect(label.x + label.width).toBeLessThanOrEqual(720);
    expect(label.y + label.height).toBeLessThanOrEqual(480);
    return label;
  };

  it('sit above the box where there is room', () => expect(inside(200, 100).y).toBe(84));
  it('move below it at the top', () => expect(inside(200, 1).y).toBe(42));
  it('move inside a box as high as the picture', () => {
    expect(placeLabel({ x: 200, y: 1, width: 40, height: 478 }, size, picture, 2).y).toBe(2);
  });
  it('stay inside the picture at every edge', () => {
    for (const x of [81, 300, 700, 719]) for (const y of [1, 200, 470, 479]) inside(x, y);
  });
});
