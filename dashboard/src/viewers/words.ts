/** What the panel of viewers says, and the arithmetic behind it. */

import type { AttendanceView, DeviceCountsView } from '../lib/contract.gen';

export type Device = Exclude<keyof DeviceCountsView, 'all' | 'bot'>;

export const DEVICES: readonly [Device, string][] = [
  ['web_pc', 'Browsers on computers'],
  ['web_mobile', 'Browsers on phones'],
  ['ios', 'iOS apps'],
  ['android', 'Android apps'],
  ['other', 'Programs and others'],
];

export const WORDS = {
  title: 'Who is watching',
  users: 'Users',
  sessions: 'Sessions',
  window: 'Within',
  device: 'Device',
  chart: 'Sessions of the last hours',
  empty: 'Nothing is counted yet.',
  fetching: 'Who is watching could not be fetched',
  alone: 'Counted by this gateway alone',
  inexact: 'A user is a token; a session is a user, an address and a browser. Counts may be off by 2 %.',
} as const;

/** How far a window looks back. */
export const within = (minutes: number): string => (minutes === 1 ? '1 minute' : `${minutes} minutes`);

/** Who else there is, for the end of the text. */
export const bots = (view: AttendanceView): string | null => {
  const count = view.windows.at(-1)?.sessions.bot ?? 0;
  return count === 0 ? null : `${count} ${count === 1 ? 'bot is' : 'bots are'} not among them.`;
};

/** Whose counts these are. */
export const whose = (view: AttendanceView): string =>
  view.shared === true ? 'all gateways' : view.shared === false ? 'this gateway alone' : 'this gateway';

/** What the chart shows, for those who do not see it. */
export function spoken(series: AttendanceView['series']): string {
  const values = series.map(({ sessions }) => sessions);
  const last = values.at(-1);
  if (last === undefined) return WORDS.empty;
  return `${WORDS.chart}: ${last} at last, between ${Math.min(...values)} and ${Math.max(...values)}`;
}
