import { describe, expect, it } from 'vitest';
import { cameraPanels } from '../src/cameras/panels';
import { CAMERA } from '../src/cameras/place';
import { type LoggedState, levelOf, stretches } from '../src/cameras/states';
import { partOf, shares } from '../src/cameras/timeline';
import { readPlace, writePlace } from '../src/lib/address';
import { LAST_HOUR } from '../src/lib/charts/range';
import { complaints } from '../src/lib/parameters';

describe('a camera’s address', () => {
  const read = (pathname: string, search = '') => readPlace(CAMERA, { pathname, search });

  it('has the camera, what is drawn, and the time', () => {
    expect(read('/cameras/gate-3')).toEqual({ ...CAMERA.empty, camera: 'gate-3' });
    const place = {
      camera: 'gate-3',
      layers: { boxes: true, scores: false, landmarks: true },
      masks: true,
      range: { from: 'now-6h', to: 'now' },
    };
    const address = writePlace(CAMERA, place);
    const [pathname = '', search = ''] = address.split('?');
    expect(readPlace(CAMERA, { pathname, search: `?${search}` })).toEqual(place);
    expect(writePlace(CAMERA, { ...CAMERA.empty, camera: 'gate-3' })).toBe('/cameras/gate-3');
  });

  it('can say that nothing is drawn', () => {
    const layers = { boxes: false, scores: false, landmarks: false };
    expect(writePlace(CAMERA, { ...CAMERA.empty, camera: 'a', layers })).toBe('/cameras/a?show=none');
    expect(read('/cameras/a', '?show=none').layers).toEqual(layers);
  });

  it('is as usual where it says nothing that is known', () => {
    expect(read('/cameras/a', '?show=boxes,all').layers).toEqual(CAMERA.empty.layers);
    expect(complaints(CAMERA.parameters, '?show=boxes,all')).toHaveLength(1);
    expect(complaints(CAMERA.parameters, '?show=boxes,masks&from=now-6h&to=now')).toEqual([]);
    expect(read('/cameras/a', '?from=tomorrow').range).toEqual(LAST_HOUR);
  });
});

describe('states over time', () => {
  const change = (time: number, state: LoggedState, reason: string | null = null) => ({
    time,
    state,
    reason,
    producer_id: 'p',
  });
  const found = stretches([change(90, 'live'), change(60, 'offline', 'no route'), change(0, 'live')]);

  it('have one stretch from each moment, however many changes became known at it', () => {
    const told = stretches([
      change(90, 'live'),
      change(60, 'unknown'),
      change(60, 'offline'),
      change(0, 'live'),
    ]);
    expect(told.map(({ from, to, state }) => [from, to, state])).toEqual([
      [90, null, 'live'],
      [60, 90, 'unknown'],
      [0, 60, 'live'],
    ]);
  });

  it('last from one change to the next', () => {
    expect(found.map(({ state, from, to }) => [state, from, to])).toEqual([
      ['live', 90, null],
      ['offline', 60, 90],
      ['live', 0, 60],
    ]);
  });

  it('lie in the strip', () => {
    const span = { from: 50, to: 100 };
    expect(found.map((stretch) => partOf(stretch, span))).toEqual([
      { left: 80, width: 20 },
      { left: 20, width: 60 },
      { left: 0, width: 20 },
    ]);
    expect(partOf({ from: 0, to: 49 }, span)).toBeNull();
    expect(partOf({ from: 101, to: null }, span)).toBeNull();
  });

  it('have shares of what is known', () => {
    expect(shares(found, { from: 50, to: 100 })).toEqual([
      ['offline', 0.6],
      ['live', 0.4],
    ]);
    expect(shares(found.slice(0, 1), { from: 0, to: 100 })).toEqual([['live', 1]]);
    expect(shares([], { from: 0, to: 100 })).toEqual([]);
  });

  it('mean something', () => {
    expect((['live', 'offline', 'stalled', 'removed', 'quiet'] as const).map(levelOf)).toEqual([
      'good',
      'bad',
      'warning',
      'unknown',
      'unknown',
    ]);
  });
});

it('asks of one camera only', () => {
  for (const { expr } of cameraPanels('gate-3'))
    expect(expr.match(/camera_id="gate-3"/g)?.length).toBe(expr.match(/rate\(/g)?.length);
});
