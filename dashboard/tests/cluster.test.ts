import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeText } from '../src/lib/protocol';

let frames: (() => void)[] = [];
vi.stubGlobal('requestAnimationFrame', (paint: () => void) => frames.push(paint));
vi.stubGlobal('document', { hidden: false });
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
beforeAll(() => () => void vi.unstubAllGlobals());

const { Cluster } = await import('../src/lib/cluster.svelte');

/** What the gateway says of cameras, in one animation frame. */
function hear(cluster: InstanceType<typeof Cluster>, ...messages: object[][]): void {
  for (const items of messages) {
    const message = decodeText(JSON.stringify({ type: 'cameras', items }));
    if (message !== null) cluster.accept(message);
  }
  for (const paint of frames.splice(0)) paint();
}

const live = (camera_id: string, more: object = {}): object => ({ camera_id, state: 'live', ...more });

beforeEach(() => {
  frames = [];
});

describe('cameras that the gateway forgets', () => {
  it('leave the page, the others stay', () => {
    const cluster = new Cluster();
    hear(cluster, [live('a'), live('b')]);
    hear(cluster, [{ camera_id: 'a', gone: true }]);
    expect(cluster.ids).toEqual(['b']);
    expect(cluster.counts.live).toBe(1);
  });

  it('never appear if they go in the frame that they came in, and may come back', () => {
    const cluster = new Cluster();
    hear(cluster, [live('a')], [{ camera_id: 'a', gone: true }]);
    expect(cluster.ids).toEqual([]);
    hear(cluster, [{ camera_id: 'a', gone: true }], [live('a')]);
    expect(cluster.ids).toEqual(['a']);
  });
});

describe('what decides the health', () => {
  it('is what producers announce, and follows who does', () => {
    const cluster = new Cluster();
    const sent = (state: string, producer_id: string | null) => ({ camera_id: 'a', state, producer_id });
    hear(cluster, [sent('degraded', null), live('b', { producer_id: 'p' })]);
    expect([cluster.counts.degraded, cluster.announced.degraded, cluster.announced.live]).toEqual([1, 0, 1]);
    hear(cluster, [sent('degraded', 'p')]);
    expect(cluster.announced.degraded).toBe(1);
    hear(cluster, [sent('quiet', null)]);
    expect([cluster.counts.quiet, cluster.announced.quiet]).toEqual([1, 0]);
  });
});

describe('the search', () => {
  it('finds a camera by its id and by what people call it', () => {
    const cluster = new Cluster();
    hear(cluster, [live('cam-1', { name: 'Gate 3' }), live('cam-2')]);
    expect(cluster.select('gate', null)).toEqual(['cam-1']);
    expect(cluster.select('CAM-', null)).toEqual(['cam-1', 'cam-2']);
    expect(cluster.select('gate', 'offline')).toEqual([]);
  });
});

describe('groups', () => {
  it('are those that cameras are in, and may change', () => {
    const cluster = new Cluster();
    hear(cluster, [live('a', { group: 'north' }), live('b', { group: 'harbour' }), live('c')]);
    expect(cluster.groups).toEqual(['harbour', 'north']);
    expect(cluster.select('', null, 'north')).toEqual(['a']);
    hear(cluster, [live('a', { group: 'harbour' })]);
    expect(cluster.groups).toEqual(['harbour']);
    expect(cluster.select('', 'live', 'harbour')).toEqual(['a', 'b']);
  });
});

describe('pictures that others have a right to', () => {
  it('are known by their cameras until the gateway says otherwise', () => {
    const cluster = new Cluster();
    hear(cluster, [live('a'), live('b')]);
    const withheld = (crowded: string[]) => {
      const message = decodeText(JSON.stringify({ type: 'withheld', unknown: ['x'], crowded }));
      if (message !== null) cluster.accept(message);
      hear(cluster);
      return ['a', 'b'].map((id) => cluster.get(id)?.crowdedOut);
    };
    expect(withheld(['b'])).toEqual([false, true]);
    hear(cluster, [live('b', { name: 'Gate' })]);
    expect(cluster.get('b')?.crowdedOut).toBe(true);
    expect(withheld([])).toEqual([false, false]);
  });
});
