import { describe, expect, it } from 'vitest';
import type { EventFrameView } from '../src/lib/contract.gen';
import { marksOn } from '../src/lib/layers';

const FRAME: EventFrameView = {
  frame_id: 'gate-3:1',
  time: 1,
  width: 640,
  height: 480,
  model: 'yunet@1',
  detections: [
    { x: 64, y: 48, w: 128, h: 96, confidence: 0.934, label: 'face', landmarks: [[100, 80], [5]] },
    { x: 600, y: 400, w: 40, h: 80, confidence: 1, label: 'face', landmarks: [] },
  ],
};

describe('marks on a picture', () => {
  it('lie on the frame’s pixels, whatever the size of the picture', () => {
    for (const scale of [1, 2, 0.5]) {
      const [mark] = marksOn(
        FRAME.detections,
        FRAME,
        { x: 10, y: 20, width: 640 * scale, height: 480 * scale },
        2,
      );
      expect(mark?.box).toEqual({
        x: 10 + 64 * scale + 1,
        y: 20 + 48 * scale + 1,
        width: 128 * scale - 2,
        height: 96 * scale - 2,
      });
      expect(mark?.landmarks).toEqual([{ x: 10 + 100 * scale, y: 20 + 80 * scale }]);
      expect(mark?.score).toBe('.93');
    }
  });

  it('stay inside at the edge', () => {
    const { box } = marksOn(FRAME.detections, FRAME, { x: 0, y: 0, width: 640, height: 480 }, 2)[1] ?? {
      box: null,
    };
    expect(box).toEqual({ x: 601, y: 401, width: 38, height: 78 });
  });
});
