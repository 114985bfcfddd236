import { LAST_HOUR } from '../src/lib/charts/range';
import { describe, expect, it } from 'vitest';
import { cameraState, chooseAlerts, chooseRules, countAlerts, finds } from '../src/alerts/choosing';
import { ALERTS } from '../src/alerts/place';
import { readPlace, writePlace } from '../src/lib/address';
import type { AlertRuleView, AlertView } from '../src/lib/contract.gen';

const alert = (name: string, severity: string, more: Partial<AlertView> = {}): AlertView => ({
  name,
  severity,
  state: 'firing',
  summary: `${name} happens`,
  since: 1,
  description: '',
  runbook: '',
  labels: {},
  value: 1,
  silenced_by: [],
  ...more,
});
const rule = (name: string, state: AlertRuleView['state'], severity = 'warning'): AlertRuleView => ({
  name,
  group: 'g',
  severity,
  state,
  summary: '',
  description: '',
  runbook: '',
  expression: 'up == 0',
  for_seconds: 15,
  evaluated: 1,
  error: null,
});
const ALL = [
  alert('Watched', 'info'),
  alert('Late', 'warning', { state: 'pending' }),
  alert('Down', 'warning', { labels: { camera_id: 'gate-3' } }),
  alert('Known', 'critical', { silenced_by: ['s'] }),
  alert('Blind', 'critical'),
  alert('Odd', ''),
  alert('FramefleetWatchdog', 'info'),
];

describe('the lists of alerts', () => {
  it('are by severity, the gravest first, and what fires before the rest', () => {
    const sections = chooseAlerts(ALL, 'active', '');
    expect(sections.map(({ title, items }) => [title, items.map(({ name }) => name)])).toEqual([
      ['critical', ['Blind', 'Known']],
      ['warning', ['Down', 'Late']],
      ['info', ['Watched']],
      ['', ['Odd']],
    ]);
    expect(countAlerts(ALL)).toEqual({ active: 6, firing: 4, pending: 1, silenced: 1 });
  });

  it('are of one state, and searched by name and camera', () => {
    const names = (...choice: Parameters<typeof chooseAlerts>) =>
      chooseAlerts(...choice).flatMap(({ items }) => items.map(({ name }) => name));
    expect(names(ALL, 'silenced', '')).toEqual(['Known']);
    expect(names(ALL, 'active', 'GATE-3')).toEqual(['Down']);
    expect(names(ALL, 'active', 'nothing of it')).toEqual([]);
    expect(finds('', 'a')).toBe(true);
  });

  it('have the rules that fire first, and the watchdog among the calm', () => {
    const rules = [
      rule('B', 'inactive'),
      rule('A', 'inactive'),
      rule('FramefleetWatchdog', 'firing'),
      rule('C', 'firing'),
    ];
    expect(chooseRules(rules, '').flatMap(({ items }) => items.map(({ name }) => name))).toEqual([
      'C',
      'A',
      'B',
      'FramefleetWatchdog',
    ]);
    expect(chooseRules(rules, 'up ==')[0]?.items).toHaveLength(4);
  });

  it('lead to the cameras of the state that the alert is about', () => {
    expect(cameraState('FramefleetCameraDown')).toBe('offline');
    expect(cameraState('FramefleetCameraDefect')).toBe('degraded');
    expect(cameraState('FramefleetNoWorkers')).toBeNull();
  });

  it('are in the address', () => {
    const place = { show: 'rules', q: 'camera', alert: 'FramefleetCameraDown', range: LAST_HOUR } as const;
    const address = writePlace(ALERTS, place);
    expect(address).toBe('/alerts?show=rules&q=camera&alert=FramefleetCameraDown');
    const [pathname = '', search = ''] = address.split('?');
    expect(readPlace(ALERTS, { pathname, search })).toEqual(place);
    expect(readPlace(ALERTS, { pathname, search: 'show=x&alert=../../etc' })).toEqual(ALERTS.empty);
  });
});
