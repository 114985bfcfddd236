/** What the panel of viewers says, and the arithmetic behind it. */

import type { AttendanceView, DeviceCountsView } from '../lib/contract.gen';
import { exactly } from '../lib/format';
import { plural } from '../lib/plural';

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
  empty: 'Nothing is counted yet.',
  fetching: 'The counts of viewers could not be fetched',
  alone: 'These counts are of this gateway alone',
  inexact: 'A user is a token; a session is a user, an address and a browser. Counts may be off by 2 %.',
} as const;

/** How far a window looks back. */
export const within = (minutes: number): string => plural(minutes, ['# minute', '# minutes']);

/** Who else there is, for the end of the text. */
export const bots = (view: AttendanceView): string | null => {
  const count = view.windows.at(-1)?.sessions.bot ?? 0;
  return count === 0 ? null : plural(count, ['# bot is not counted.', '# bots are not counted.']);
};

/** Whose counts these are. */
export const whose = (view: AttendanceView): string =>
  view.shared === true ? 'all gateways' : view.shared === false ? 'this gateway alone' : 'this gateway';

/** What the chart shows, for those who do not see it. */
export function spoken(series: AttendanceView['series']): string {
  const values = series.map(({ sessions }) => sessions);
  const last = values.at(-1);
  if (last === undefined) return WORDS.empty;
  return `Sessions of the last hours: now ${exactly(last)}, between ${exactly(Math.min(...values))} and ${exactly(Math.max(...values))}`;
}
