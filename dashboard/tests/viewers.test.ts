import { expect, test } from 'vitest';
import type { AttendanceView } from '../src/lib/contract.gen';
import { bots, spoken, whose, within } from '../src/viewers/words';

const COUNTS = { all: 3, ios: 0, android: 0, web_pc: 2, web_mobile: 1, other: 0, bot: 0 };

function attendance(changes: Partial<AttendanceView> = {}): AttendanceView {
  const windows = [{ name: 'limit', minutes: 30, users: COUNTS, sessions: COUNTS }] as const;
  return { time: 1, shared: null, trouble: '', windows: [...windows], series: [], ...changes };
}

test('a window says how far it looks back', () => {
  expect(within(1)).toBe('1 minute');
  expect(within(30)).toBe('30 minutes');
});

test('whose counts they are', () => {
  expect(whose(attendance())).toBe('this gateway');
  expect(whose(attendance({ shared: true }))).toBe('all gateways');
  expect(whose(attendance({ shared: false, trouble: 'x' }))).toBe('this gateway alone');
});

test('bots are told of, and only if there are any', () => {
  const some = attendance().windows.map((each) => ({ ...each, sessions: { ...COUNTS, bot: 2 } }));
  expect(bots(attendance())).toBeNull();
  expect(bots(attendance({ windows: some }))).toBe('2 bots are not counted.');
});

test('the chart is put into words', () => {
  const series = [4, 9, 7].map((sessions, each) => ({ time: 60 * each, users: 1, sessions }));
  expect(spoken(series)).toBe('Sessions of the last hours: now 7, between 4 and 9');
  expect(spoken([])).toBe('Nothing is counted yet.');
});
