import { describe, expect, it } from 'vitest';
import { type GridRoom, commonAspect, layOut, neighbour, placeTile, visibleTiles } from '../src/lib/grid';

const ROOM: GridRoom = {
  width: 1080,
  height: 640,
  count: 4,
  aspect: 16 / 9,
  gap: 12,
  caption: 28,
  minimum: 232,
};

describe('the layout', () => {
  it.each([1, 2, 4, 6, 9])('shows %i cameras at once', (count) => {
    const grid = layOut({ ...ROOM, count });
    expect(grid.height).toBeLessThanOrEqual(640);
    expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count);
  });

  it('takes the columns that make pictures largest', () => {
    expect(layOut(ROOM).columns).toBe(2);
    expect(layOut({ ...ROOM, height: 300 }).columns).toBe(4);
  });

  it('scrolls rather than make pictures tiny', () => {
    const grid = layOut({ ...ROOM, count: 40 });
    expect(grid.columns).toBe(4);
    expect(grid.height).toBeGreaterThan(640);
    expect(grid.tileWidth).toBeGreaterThanOrEqual(232);
  });

  it('never exceeds its width', () => {
    for (let width = 100; width < 4000; width += 37) {
      for (const count of [1, 3, 7, 1000]) {
        const grid = layOut({ ...ROOM, width, count });
        const last = placeTile(grid, grid.columns - 1);
        expect(last.x + last.width).toBeLessThanOrEqual(width);
      }
    }
  });

  it('is empty without cameras or before it is measured', () => {
    expect(layOut({ ...ROOM, count: 0 }).height).toBe(0);
    expect(layOut({ ...ROOM, width: 0 }).rows).toBe(0);
  });
});

describe('what is rendered', () => {
  const grid = layOut({ ...ROOM, count: 1000 });

  it('is only what is in sight, and the spare rows', () => {
    const [from, to] = visibleTiles(grid, 1000, 20_000, 20_900, 1);
    expect(to - from).toBeLessThan(40);
    expect(from % grid.columns).toBe(0);
    expect(placeTile(grid, from).y).toBeLessThanOrEqual(20_000);
    expect(placeTile(grid, to - 1).y + grid.tileHeight).toBeGreaterThanOrEqual(20_900);
  });

  it('ends with the cameras, and is empty out of sight', () => {
    expect(visibleTiles(grid, 1000, -500, 400, 1)[0]).toBe(0);
    expect(visibleTiles(grid, 1000, grid.height - 10, grid.height + 900, 1)[1]).toBe(1000);
    const [from, to] = visibleTiles(grid, 1000, grid.height + 9000, grid.height + 9900, 1);
    expect(from).toBe(to);
    expect(visibleTiles(layOut({ ...ROOM, count: 0 }), 0, 0, 900, 1)).toEqual([0, 0]);
  });
});

describe('arrows', () => {
  // 10 tiles in 4 columns: the last row has two.
  const go = (key: string, from: number) => neighbour(key, from, 10, 4, 2);

  it.each([
    ['ArrowRight', 3, 4],
    ['ArrowRight', 9, 9],
    ['ArrowLeft', 0, 0],
    ['ArrowLeft', 4, 3],
    ['ArrowUp', 2, 2],
    ['ArrowUp', 6, 2],
    ['ArrowDown', 1, 5],
    ['ArrowDown', 7, 9],
    ['ArrowDown', 8, 8],
    ['Home', 7, 0],
    ['End', 0, 9],
    ['PageDown', 1, 9],
    ['PageUp', 9, 1],
    ['PageUp', 6, 2],
    ['x', 5, 5],
  ])('%s from %i leads to %i', (key, from, to) => expect(go(key, from)).toBe(to));
});

it('takes the proportions that most cameras have', () => {
  const [vga, hd, unknown] = [
    { width: 640, height: 480 },
    { width: 1920, height: 1080 },
    { width: null, height: null },
  ];
  expect(commonAspect([])).toBeCloseTo(16 / 9);
  expect(commonAspect([vga, vga, hd, unknown, unknown, unknown])).toBeCloseTo(4 / 3, 1);
  expect(commonAspect([{ width: 4000, height: 500 }])).toBe(2);
});
