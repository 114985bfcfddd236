import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Watch } from '../src/lib/watch';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch() {
  const told: [string[] | null, string[]][] = [];
  let hidden = false;
  const watching = new Watch(
    (cameras, pictures) => told.push([cameras, pictures]),
    () => hidden,
  );
  return {
    watching,
    told,
    hide: (now: boolean) => {
      hidden = now;
      watching.changed();
      vi.runAllTimers();
    },
  };
}

it('asks for results of tiles and pictures of those in sight, once scrolling settles', () => {
  const { watching, told } = watch();
  for (const camera of ['b', 'a', 'c']) watching.mount(camera);
  watching.sight('b', true);
  expect(told).toEqual([]);
  vi.runAllTimers();
  expect(told).toEqual([[['a', 'b', 'c'], ['b']]]);
});

it('says nothing when nothing has changed', () => {
  const { watching, told } = watch();
  watching.mount('a');
  vi.runAllTimers();
  watching.unmount('a');
  watching.mount('a');
  vi.runAllTimers();
  expect(told).toHaveLength(1);
});

it('wants nothing while the page is hidden, and all of it again afterwards', () => {
  const { watching, told, hide } = watch();
  watching.mount('a');
  watching.sight('a', true);
  vi.runAllTimers();
  hide(true);
  hide(false);
  expect(told.slice(1)).toEqual([
    [[], []],
    [['a'], ['a']],
  ]);
});

it('forgets the sight of a tile that is gone', () => {
  const { watching, told } = watch();
  watching.mount('a');
  watching.sight('a', true);
  watching.unmount('a');
  watching.mount('b');
  vi.runAllTimers();
  expect(told).toEqual([[['b'], []]]);
});

it('asks for no more names than the gateway takes', () => {
  const { watching, told } = watch();
  for (let index = 0; index < 300; index += 1) {
    watching.mount(`c${index}`);
    watching.sight(`c${index}`, true);
  }
  vi.runAllTimers();
  expect(told[0]?.[0]).toBeNull();
  expect(told[0]?.[1]).toHaveLength(256);
});

it('asks for pictures of those that will be in sight, and keeps what it has when they are', () => {
  const { watching, told } = watch();
  watching.mount('a');
  watching.sight('a', true);
  watching.expect(['b']);
  vi.runAllTimers();
  watching.mount('b');
  watching.expect([]);
  watching.sight('b', true);
  vi.runAllTimers();
  expect(told).toEqual([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  ]);
});
