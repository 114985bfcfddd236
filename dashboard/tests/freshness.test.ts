import { describe, expect, it } from 'vitest';
import { freshness } from '../src/lib/freshness';
import { CAMERA_STATES } from '../src/lib/protocol';

const LIVE = { state: 'live', still: false, fps: null } as const;

describe('a picture within the budget', () => {
  it.each([null, LIVE, { ...LIVE, state: 'degraded' } as const])(
    'is fresh whatever is said of its camera',
    (info) => {
      expect(freshness(2, 2, info)).toBe('fresh');
    },
  );
});

describe('an older picture', () => {
  it('is stale where nobody vouches for it', () => {
    expect(freshness(2.1, 2, null)).toBe('stale');
    expect(freshness(2.1, 2, LIVE)).toBe('stale');
    expect(freshness(2.1, 2, { ...LIVE, fps: 10 })).toBe('stale');
  });

  it('is still what there is while its camera leaves out frames that show nothing new', () => {
    expect(freshness(9, 2, { ...LIVE, still: true })).toBe('unchanged');
    expect(freshness(900, 2, { ...LIVE, still: true, fps: 0.1 })).toBe('unchanged');
  });

  it('is the newest of a slow camera for two of its intervals', () => {
    expect(freshness(13, 2, { ...LIVE, fps: 0.15 })).toBe('slow');
    expect(freshness(14, 2, { ...LIVE, fps: 0.15 })).toBe('stale');
    expect(freshness(3, 2, { ...LIVE, fps: 0 })).toBe('stale');
  });

  it.each(CAMERA_STATES.filter((state) => state !== 'live'))('is stale of a camera that is %s', (state) => {
    expect(freshness(3, 2, { state, still: true, fps: 0.1 })).toBe('stale');
  });
});
