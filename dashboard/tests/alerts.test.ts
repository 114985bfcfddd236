import { describe, expect, it } from 'vitest';
import { gather, gist, titled } from '../src/lib/alerts';
import type { AlertView } from '../src/lib/contract.gen';

const down = (camera: number, more: Partial<AlertView> = {}): AlertView => ({
  name: 'FramefleetCameraDown',
  severity: 'warning',
  state: 'firing',
  summary: `Camera ${camera} sends no frames`,
  since: 100 + camera,
  description: `Camera ${camera}: look at its cable`,
  runbook: 'docs/runbooks/FramefleetCameraDown.md',
  ...more,
});

describe('alerts of one rule', () => {
  it('are one entry with the earliest beginning', () => {
    const groups = gather([down(3), down(1), down(1), down(2, { since: null })]);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ count: 4, since: 101 });
    expect(groups[0]?.summaries).toEqual([3, 1, 2].map((camera) => `Camera ${camera} sends no frames`));
    expect(groups.map(titled)).toEqual(['CameraDown × 4']);
  });

  it('say what to do about each, once, and where there is more', () => {
    const [group] = gather([down(3), down(1), down(1), down(2, { description: '' })]);
    expect(group).toMatchObject({
      descriptions: ['Camera 3: look at its cable', 'Camera 1: look at its cable'],
      runbook: 'docs/runbooks/FramefleetCameraDown.md',
    });
    expect(gather([down(1, { description: '' })])[0]?.descriptions).toEqual([]);
  });

  it.each([
    ['Camera 3 sends no frames. Check its cable.', 'Camera 3 sends no frames.'],
    ['gateway at 127.0.0.1:8020 does not answer. It hangs.', 'gateway at 127.0.0.1:8020 does not answer.'],
    ['is it? Yes', 'is it?'],
    ['no end', 'no end'],
    ['', ''],
  ])('have a gist: %s', (description, said) => {
    expect(gist(description)).toBe(said);
  });

  it('leave out the watchdog, and keep the names of alerts that others wrote', () => {
    const others = ['FramefleetWatchdog', 'Framefleeting', 'HostOnFire'].map((name) => down(1, { name }));
    expect(gather(others).map(titled)).toEqual(['Framefleeting', 'HostOnFire']);
  });

  it('stay apart where they differ in more than the camera', () => {
    const groups = gather([
      down(1),
      down(2, { state: 'pending' }),
      down(3, { severity: 'critical' }),
      down(4, { name: 'FramefleetTargetDown' }),
    ]);
    expect(groups.map(titled)).toEqual(['CameraDown', 'CameraDown', 'CameraDown', 'TargetDown']);
  });
});
