import { describe, expect, it } from 'vitest';
import { barAt, bars, describePart, nextBar, summarise, together } from '../src/events/activity';
import type { ActivityView } from '../src/lib/contract.gen';

const local = (hour: number, minute: number) => new Date(2026, 10, 25, hour, minute).getTime() / 1000;
const SPAN = { from: local(14, 0), to: local(14, 10) };
const point = (minute: number, with_detections: number, faces = 1, expired = 0) => ({
  time: local(14, minute),
  frames: 60,
  with_detections,
  faces,
  expired,
});
const ACTIVITY: ActivityView = {
  step: 60,
  items: [point(0, 0, 0), point(2, 10), point(3, 40, 3), point(9, 1, 1, 5)],
};

describe('bars', () => {
  it('stand where and as high as they should', () => {
    const found = bars(ACTIVITY, SPAN);
    expect(found).toHaveLength(3);
    expect(found.map(({ x }) => x)).toEqual([0.2, 0.3, 0.9].map((x): unknown => expect.closeTo(x)));
    expect(found.map(({ height }) => height)).toEqual([0.25, 1, 0.06]);
    expect(found.every(({ width }) => Math.abs(width - 0.1) < 1e-9)).toBe(true);
  });

  it('end where the strip ends', () => {
    const [bar] = bars({ step: 60, items: [point(2, 10)] }, { from: local(14, 2) + 30, to: local(14, 4) });
    expect(bar?.x).toBe(0);
    expect(bar?.width).toBeCloseTo(1 / 3);
  });

  it('are found by time, from the first to the last', () => {
    expect(barAt(local(14, 3) + 12, 60, SPAN)).toEqual({ from: local(14, 3), to: local(14, 4) });
    expect(barAt(0, 60, SPAN)).toEqual({ from: local(14, 0), to: local(14, 1) });
    expect(barAt(SPAN.to + 999, 60, SPAN)).toEqual({ from: local(14, 9), to: local(14, 10) });
  });

  it('lead to each other, and make a choice together', () => {
    const bar = barAt(local(14, 8), 60, SPAN);
    const last = nextBar(bar, 1, 60, SPAN);
    expect(last.from).toBe(local(14, 9));
    expect(nextBar(last, 1, 60, SPAN)).toEqual(last);
    expect(nextBar(barAt(SPAN.from, 60, SPAN), -1, 60, SPAN).from).toBe(SPAN.from);
    expect(together(last, bar)).toEqual({ from: local(14, 8), to: local(14, 10) });
  });
});

it('is told in words', () => {
  expect(describePart(ACTIVITY, { from: local(14, 3), to: local(14, 4) })).toBe(
    '25 Nov 14:03 – 14:04: 40 frames with detections, at most 3 faces',
  );
  expect(describePart(ACTIVITY, { from: local(14, 9), to: local(14, 10) })).toBe(
    '25 Nov 14:09 – 14:10: 1 frame with detections, at most 1 face, 5 dropped or expired',
  );
  expect(describePart(ACTIVITY, { from: local(14, 5), to: local(14, 6) })).toBe(
    '25 Nov 14:05 – 14:06: no detections',
  );
  expect(summarise(ACTIVITY, SPAN)).toContain('51 frames with detections');
  expect(summarise(ACTIVITY, SPAN)).toContain(
    '25 Nov 14:00 – 14:10: 51 frames with detections, at most 3 faces, 5 dropped or expired. Busiest: 25 Nov 14:03 – 14:04.',
  );
  expect(summarise({ step: 60, items: [] }, SPAN)).toBe('25 Nov 14:00 – 14:10: no detections.');
});
