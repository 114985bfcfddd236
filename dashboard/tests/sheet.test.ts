import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeSurface } from '../src/lib/paint';
import { Sheet } from '../src/lib/sheet';

let grow: (width: number, height: number) => void = () => undefined;

beforeEach(() => {
  vi.stubGlobal('devicePixelRatio', 2);
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('getComputedStyle', () => ({ fontSize: '16px' }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(tell: (entries: unknown[]) => void) {
        grow = (width, height) => tell([{ contentRect: { width, height } }]);
      }
      observe() {}
      disconnect() {}
    },
  );
});
afterEach(() => void vi.unstubAllGlobals());

/** A sheet of 400 by 75 CSS pixels, and what was done on it. */
function opened() {
  const done: string[] = [];
  const canvas = { width: 0, height: 0, clientWidth: 400, getContext: () => context };
  const context = { canvas, clearRect: (...room: number[]) => done.push(`cleared ${room.join(' ')}`) };
  const sheet = new Sheet();
  const close = sheet.open(canvas as unknown as HTMLCanvasElement);
  const tile = (name: string, x: number) => {
    const surface = makeSurface({} as HTMLElement);
    const move = (to: number) =>
      sheet.lend(surface, { x: to, width: 100 }, () => done.push(`${name} at ${surface.room.x}`));
    return { surface, move, leave: move(x) };
  };
  return { sheet, close, done, tile };
}

it('gives each tile its part in device pixels, once it knows its own size', () => {
  const { done, tile } = opened();
  const [one, other] = [tile('one', 0), tile('other', 112)];
  expect(done).toEqual([]);
  grow(400, 75);
  expect(done).toEqual(['one at 0', 'other at 224']);
  expect(one.surface.room).toEqual({ x: 0, y: 0, width: 200, height: 150 });
  expect(other.surface.ratio).toBe(2);
});

it('has everything painted again when its size changes, and only then', () => {
  const { done, tile } = opened();
  grow(400, 75);
  tile('one', 112);
  grow(400, 75);
  expect(done).toEqual(['one at 224']);
  grow(400, 90);
  expect(done).toEqual(['one at 224', 'one at 224']);
});

it('leaves no picture behind where a tile was', () => {
  const { done, tile } = opened();
  grow(400, 75);
  const { surface, leave } = tile('one', 112);
  leave();
  expect(done).toEqual(['one at 224', 'cleared 224 0 200 150']);
  expect(surface.context).toBeNull();
});

it('lets two tiles change places, one after the other', () => {
  const { done, tile } = opened();
  grow(400, 75);
  const [one, other] = [tile('one', 0), tile('other', 112)];
  done.length = 0;
  one.leave();
  one.move(112);
  other.leave();
  other.move(0);
  expect(done).toEqual(['cleared 0 0 200 150', 'one at 224', 'other at 0']);
});

it('takes its canvas away from the tiles that are still there', () => {
  const { close, tile } = opened();
  grow(400, 75);
  const { surface, leave } = tile('one', 0);
  close();
  expect(surface.context).toBeNull();
  expect(leave).not.toThrow();
});
