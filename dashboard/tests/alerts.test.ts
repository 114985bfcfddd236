import { describe, expect, it } from 'vitest';
import { gather, titled } from '../src/lib/alerts';
import type { AlertView } from '../src/lib/contract.gen';

const down = (camera: number, more: Partial<AlertView> = {}): AlertView => ({
  name: 'FramefleetCameraDown',
  severity: 'warning',
  state: 'firing',
  summary: `Camera ${camera} sends no frames`,
  since: 100 + camera,
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
