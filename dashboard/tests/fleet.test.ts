import { beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeText } from '../src/lib/protocol';

let frames: (() => void)[] = [];
vi.stubGlobal('requestAnimationFrame', (paint: () => void) => frames.push(paint));
vi.stubGlobal('document', { hidden: false });
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });

const { Fleet } = await import('../src/lib/fleet.svelte');

/** What the gateway says of cameras, in one animation frame. */
function hear(fleet: InstanceType<typeof Fleet>, ...messages: object[][]): void {
  for (const items of messages) {
    const message = decodeText(JSON.stringify({ type: 'cameras', items }));
    if (message !== null) fleet.accept(message);
  }
  for (const paint of frames.splice(0)) paint();
}

const live = (camera_id: string, more: object = {}): object => ({ camera_id, state: 'live', ...more });

beforeEach(() => {
  frames = [];
});

describe('cameras that the gateway forgets', () => {
  it('leave the page, the others stay', () => {
    const fleet = new Fleet();
    hear(fleet, [live('a'), live('b')]);
    hear(fleet, [{ camera_id: 'a', gone: true }]);
    expect(fleet.ids).toEqual(['b']);
    expect(fleet.counts.live).toBe(1);
  });

  it('never appear if they go in the frame that they came in, and may come back', () => {
    const fleet = new Fleet();
    hear(fleet, [live('a')], [{ camera_id: 'a', gone: true }]);
    expect(fleet.ids).toEqual([]);
    hear(fleet, [{ camera_id: 'a', gone: true }], [live('a')]);
    expect(fleet.ids).toEqual(['a']);
  });
});

describe('the search', () => {
  it('finds a camera by its id and by what people call it', () => {
    const fleet = new Fleet();
    hear(fleet, [live('cam-1', { name: 'Gate 3' }), live('cam-2')]);
    expect(fleet.select('gate', null)).toEqual(['cam-1']);
    expect(fleet.select('CAM-', null)).toEqual(['cam-1', 'cam-2']);
    expect(fleet.select('gate', 'offline')).toEqual([]);
  });
});

describe('groups', () => {
  it('are those that cameras are in, and may change', () => {
    const fleet = new Fleet();
    hear(fleet, [live('a', { group: 'north' }), live('b', { group: 'harbour' }), live('c')]);
    expect(fleet.groups).toEqual(['harbour', 'north']);
    expect(fleet.select('', null, 'north')).toEqual(['a']);
    hear(fleet, [live('a', { group: 'harbour' })]);
    expect(fleet.groups).toEqual(['harbour']);
    expect(fleet.select('', 'live', 'harbour')).toEqual(['a', 'b']);
  });
});
