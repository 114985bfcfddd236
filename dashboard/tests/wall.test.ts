import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../src/lib/address';
import { cameraRoom, layOut } from '../src/lib/grid';
import { complaints } from '../src/lib/parameters';
import { plural } from '../src/lib/plural';
import type { CameraState } from '../src/lib/protocol';
import { WALL } from '../src/wall/place';
import { Ranking } from '../src/wall/ranking';
import { capacity, pagesOf } from '../src/wall/rotation';
import { prefixOf, sectionsOf } from '../src/wall/sections';

const url = (path: string) => new URL(path, 'http://x');
const names = (count: number, prefix = 'cam-') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe('the address', () => {
  it.each([
    '/wall',
    '/wall?wall=1',
    '/wall?wall=1&q=gate&state=live&group=the+harbour&size=huge&order=name&by=prefix&rotate=45',
    '/wall?rotate=5',
    '/wall?rotate=3600',
  ])('%s survives', (path) => {
    expect(writePlace(WALL, readPlace(WALL, url(path)))).toBe(path);
  });

  it('of a wall screen turns its pages, in whatever way that is written', () => {
    for (const search of ['?wall', '?wall=', '?wall=1'])
      expect(readPlace(WALL, url(`/wall${search}`))).toMatchObject({ wall: true, rotate: 20 });
    expect(readPlace(WALL, url('/wall?wall&rotate=60')).rotate).toBe(60);
    expect(complaints(WALL.parameters, '?wall')).toEqual([]);
  });

  it.each(['rotate=4', 'rotate=3601', 'rotate=1e3', 'rotate=-20', 'wall=yes', 'size=tiny', 'by=node', 'x=1'])(
    'says that %s has no effect, and goes on without it',
    (search) => {
      expect(complaints(WALL.parameters, `?${search}`)).toHaveLength(1);
      expect(readPlace(WALL, url(`/wall?${search}`))).toEqual(WALL.empty);
    },
  );
});

describe('trouble', () => {
  const states: Record<string, CameraState> = { a: 'live', b: 'degraded', c: 'offline', d: 'quiet' };
  const stateOf = (id: string): CameraState => states[id] ?? 'live';

  it('comes first, the gravest before the rest, and the order stays within', () => {
    expect(new Ranking().split(['a', 'b', 'c', 'd'], stateOf, 0)).toEqual({
      trouble: ['c', 'b'],
      calm: ['a', 'd'],
    });
  });

  it('keeps its place for a while after it is over', () => {
    const ranking = new Ranking();
    ranking.split(['a', 'c'], stateOf, 0);
    const calm = (): CameraState => 'live';
    expect(ranking.split(['a', 'c'], calm, 9_000).trouble).toEqual(['c']);
    expect(ranking.split(['a', 'c'], calm, 11_000).trouble).toEqual([]);
  });

  it('that gets worse counts at once, and that gets better later', () => {
    const ranking = new Ranking();
    let state: CameraState = 'degraded';
    const order = (now: number) => ranking.split(['x', 'y'], (id) => (id === 'y' ? state : 'stalled'), now);
    expect(order(0).trouble).toEqual(['x', 'y']);
    state = 'offline';
    expect(order(1).trouble).toEqual(['y', 'x']);
    state = 'degraded';
    expect(order(5_000).trouble).toEqual(['y', 'x']);
    expect(order(20_000).trouble).toEqual(['x', 'y']);
  });
});

describe('pages in turn', () => {
  it('show every camera once where nothing is wrong', () => {
    const ids = names(100);
    const pages = pagesOf([], [{ title: null, ids }], 12);
    expect(pages).toHaveLength(9);
    expect(pages.flatMap((page) => page.ids)).toEqual(ids);
  });

  it('have those in trouble on each of them, first', () => {
    const pages = pagesOf(['bad'], [{ title: null, ids: names(30) }], 12);
    for (const page of pages) expect(page.ids[0]).toBe('bad');
    expect(new Set(pages.flatMap((page) => page.ids)).size).toBe(31);
  });

  it.each([
    [3, 0, 4],
    [40, 3, 4],
    [1000, 250, 30],
    [2, 9, 6],
    [5, 5, 1],
    [7, 7, 2],
    [0, 13, 4],
  ])(
    'with %i calm and %i in trouble, in room for %i: nobody is left out or crowds a page',
    (calm, bad, room) => {
      const pages = pagesOf(names(bad, 'bad-'), [{ title: null, ids: names(calm) }], room);
      for (const page of pages) {
        expect(page.ids.length).toBeGreaterThan(0);
        expect(page.ids.length).toBeLessThanOrEqual(room);
        expect(new Set(page.ids).size).toBe(page.ids.length);
      }
      expect(new Set(pages.flatMap((page) => page.ids)).size).toBe(calm + bad);
    },
  );

  it('never mix sections', () => {
    const sections = [
      { title: 'roof', ids: names(5, 'r') },
      { title: 'yard', ids: names(3, 'y') },
    ];
    expect(pagesOf([], sections, 4).map(({ title, ids }) => [title, ids.length])).toEqual([
      ['roof', 4],
      ['roof', 1],
      ['yard', 3],
    ]);
  });

  it('are none without cameras', () => {
    expect(pagesOf([], [{ title: null, ids: [] }], 12)).toEqual([]);
  });

  it.each([
    [1920, 1000, 1],
    [3840, 2060, 2],
    [390, 700, 1],
    [300, 120, 1],
  ])('fit a screen of %i × %i', (width, height, scale) => {
    for (const minimum of [150, 232, 400, 640]) {
      const wanted = { width, height, scale, count: 1000, aspect: 4 / 3, minimum, fit: true };
      const room = cameraRoom(wanted);
      const count = capacity(room, height);
      const grid = layOut(cameraRoom({ ...wanted, count }));
      expect(count).toBeGreaterThan(0);
      if (height > 600) expect(grid.height).toBeLessThanOrEqual(height);
    }
  });
});

it('a row that nearly fits is taken in', () => {
  // 855 pixels are four rows of 204, or three of the natural 222 and an empty quarter.
  const room = cameraRoom({
    width: 1584,
    height: 855,
    scale: 1,
    count: 1000,
    aspect: 4 / 3,
    minimum: 232,
    fit: true,
  });
  expect(capacity(room, 855)).toBe(24);
});

describe('sections', () => {
  it.each([
    ['gate-3', 'gate'],
    ['hall_north-1', 'hall'],
    ['roof', null],
    ['-x', null],
  ])('the prefix of %s is %j', (name, prefix) => expect(prefixOf(name)).toBe(prefix));

  it('are in order of their titles, the rest last', () => {
    const group = (id: string) => (id === 'x' ? null : id < 'c' ? 'zone 10' : 'zone 9');
    expect(sectionsOf(['x', 'a', 'd', 'b'], 'group', group)).toEqual([
      { title: 'zone 9', ids: ['d'] },
      { title: 'zone 10', ids: ['a', 'b'] },
      { title: null, ids: ['x'] },
    ]);
  });
});

it('a few cameras of a section are as large as those of a full one', () => {
  const room = { width: 1200, height: 800, scale: 1, aspect: 16 / 9, minimum: 232, fit: false };
  const [few, many] = [1, 50].map((count) => layOut(cameraRoom({ ...room, count })));
  expect(few?.tileWidth).toBe(many?.tileWidth);
});

it('plural() writes the number, and picks its form', () => {
  const forms = ['# camera', '# cameras'];
  expect([0, 1, 2, 1000].map((number) => plural(number, forms))).toEqual([
    '0 cameras',
    '1 camera',
    '2 cameras',
    '1,000 cameras',
  ]);
});
