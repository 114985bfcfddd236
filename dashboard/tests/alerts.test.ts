import { describe, expect, it } from 'vitest';
import {
  atAGlance,
  gather,
  gist,
  noPrometheus,
  runbookName,
  titled,
  troubles,
  untemplated,
} from '../src/lib/alerts';
import type { AlertsView, AlertView } from '../src/lib/contract.gen';

const down = (camera: number, more: Partial<AlertView> = {}): AlertView => ({
  name: 'FramefleetCameraDown',
  severity: 'warning',
  state: 'firing',
  summary: `Camera ${camera} sends no frames`,
  since: 100 + camera,
  description: `Camera ${camera}: look at its cable`,
  runbook: 'docs/runbooks/FramefleetCameraDown.md',
  labels: { camera_id: `c-${camera}`, job: 'producer' },
  value: 0,
  silenced_by: [],
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

  it('name the cameras and workers that they are about, each once', () => {
    const [group] = gather([down(3), down(1), down(1), down(2, { labels: { node_id: 'a1b2' } })]);
    expect(group).toMatchObject({ cameras: ['c-3', 'c-1'], nodes: ['a1b2'] });
  });

  it('are apart where somebody has silenced some', () => {
    const groups = gather([down(1), down(2, { silenced_by: ['s1'] }), down(3, { silenced_by: ['s1'] })]);
    expect(groups.map(({ state, count, silences }) => [state, count, silences])).toEqual([
      ['firing', 1, []],
      ['silenced', 2, ['s1']],
    ]);
    expect(groups.map(troubles)).toEqual([true, false]);
  });

  it.each([
    ['docs/runbooks/FramefleetNoWorkers.md', 'FramefleetNoWorkers'],
    ['https://wiki.example/no-workers', null],
    ['docs/runbooks/../../secrets.md', null],
    ['', null],
  ])('have a runbook of the gateway, or not: %s', (path, name) => expect(runbookName(path)).toBe(name));

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

describe('a Prometheus that is not set up', () => {
  const none: AlertsView = {
    source: 'none',
    error: 'Prometheus does not answer',
    evaluated: false,
    since: null,
    items: [],
  } as unknown as AlertsView;

  it('is told of by the gateway alone: without its answer nobody knows', () => {
    expect(noPrometheus(null)).toBe(false);
    expect(noPrometheus({ ...none, since: 1 })).toBe(false);
    expect(noPrometheus({ ...none, source: 'prometheus' })).toBe(false);
    expect(noPrometheus(none)).toBe(true);
  });
});

describe('a rule without an alert', () => {
  it('names what would be filled in', () => {
    expect(untemplated('{{ $value | humanize }} of {{ $labels.camera_id }} wait')).toBe(
      '‹value› of ‹camera_id› wait',
    );
    expect(untemplated('Skew{{ if gt $value 0.0 }} ahead{{ end }}: {{ $value }}')).toBe(
      'Skew ahead: ‹value›',
    );
  });
});

describe('what is shown at a glance', () => {
  it('fires, or has been pending for a while', () => {
    const pending = down(0, { state: 'pending' });
    expect(atAGlance(pending, 120)).toBe(false);
    expect(atAGlance(pending, 130)).toBe(true);
    expect(atAGlance({ ...pending, since: null }, 120)).toBe(true);
    expect(atAGlance(down(0), 101)).toBe(true);
  });
});
