import { describe, expect, it } from 'vitest';
import { ServerClock, frameAge } from '../src/lib/clock';

describe('server clock', () => {
  it('follows the server, whatever this machine believes', () => {
    let local = 1_000;
    const clock = new ServerClock(
      () => local,
      () => 5,
    );
    expect(clock.now()).toBe(5);
    clock.correct(2_000_000, 1_000);
    expect(clock.now()).toBe(2_000_000);
    local = 4_000;
    expect(clock.now()).toBe(2_000_003);
  });

  it('takes half the round trip for the way back', () => {
    const clock = new ServerClock(
      () => 10_400,
      () => 0,
    );
    clock.correct(100, 10_000, 10_400);
    expect(clock.now()).toBeCloseTo(100.2);
  });

  it('follows corrections, also backwards', () => {
    const clock = new ServerClock(
      () => 0,
      () => 0,
    );
    clock.correct(100, 0);
    clock.correct(90, 0);
    expect(clock.now()).toBe(90);
  });
});

describe('age of a frame', () => {
  it('is the time since its capture', () => {
    expect(frameAge({ captured: 100, arrived: 0 }, 103, 500)).toBe(3);
  });

  it('is never negative when the camera is ahead', () => {
    expect(frameAge({ captured: 200, arrived: 500 }, 103, 500)).toBe(0);
  });

  it('grows all the same when the camera is an hour ahead: a dead camera never looks live', () => {
    expect(frameAge({ captured: 3_700, arrived: 1_000 }, 109, 10_000)).toBe(9);
  });

  it('tells old frames that have only just arrived', () => {
    expect(frameAge({ captured: 40, arrived: 10_000 }, 100, 10_000)).toBe(60);
  });
});
