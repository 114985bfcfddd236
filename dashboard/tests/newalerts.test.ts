import { expect, it } from 'vitest';
import type { AlertView, AlertsView } from '../src/lib/contract.gen';
import { NewCriticalAlerts } from '../src/lib/newalerts';

const alert = (name: string, change: Partial<AlertView> = {}): AlertView => ({
  name,
  severity: 'critical',
  state: 'firing',
  summary: '',
  description: '',
  runbook: '',
  since: 0,
  value: null,
  labels: { alertname: name },
  silenced_by: [],
  ...change,
});
const view = (items: AlertView[], change: Partial<AlertsView> = {}): AlertsView => ({
  items,
  source: 'prometheus',
  error: null,
  since: null,
  evaluated: true,
  silences: [],
  silences_error: null,
  ...change,
});

it('tells what began to fire since the last look', () => {
  const news = new NewCriticalAlerts();
  expect(news.take(view([alert('A')])), 'what fired before the page').toEqual([]);
  expect(news.take(view([alert('A')]))).toEqual([]);
  expect(news.take(view([alert('A'), alert('B')]))).toEqual(['B']);
  expect(news.take(view([alert('B')]))).toEqual([]);
  expect(news.take(view([alert('A'), alert('B')])), 'it fires again').toEqual(['A']);
});

it('tells of another camera, and of each rule once', () => {
  const news = new NewCriticalAlerts();
  const down = (camera_id: string) => alert('CameraDown', { labels: { camera_id } });
  news.take(view([down('a')]));
  expect(news.take(view([down('a'), down('b'), down('c')]))).toEqual(['CameraDown']);
});

it('leaves out what is pending, silenced, no trouble, or the watchdog', () => {
  const news = new NewCriticalAlerts();
  news.take(view([]));
  const quiet = [
    alert('A', { state: 'pending' }),
    alert('B', { silenced_by: ['1'] }),
    alert('C', { severity: 'warning' }),
    alert('FramefleetWatchdog'),
  ];
  expect(news.take(view(quiet))).toEqual([]);
  expect(news.take(view([alert('A'), alert('B')])), 'it fires now, and its silence is over').toEqual([
    'A',
    'B',
  ]);
});

it('takes what it does not know for no change', () => {
  const news = new NewCriticalAlerts();
  news.take(view([alert('A')]));
  expect(news.take(view([], { source: 'none', error: 'Prometheus does not answer' }))).toEqual([]);
  expect(news.take(view([alert('A')]))).toEqual([]);
});
