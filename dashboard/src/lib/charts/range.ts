/** The time that the charts of a page show, as its address has it. Times are Unix seconds. Pure. */

import { type Span, describeBounds, readTime, writeTime } from '../timerange';

/** Both ends as they are in the address: `now`, `now-6h`, or a time. */
export interface ChartRange {
  from: string;
  to: string;
}

export const LAST_HOUR: ChartRange = { from: 'now-1h', to: 'now' };

/** Ranges to choose from, all of them up to now. The gateway answers for 31 days at most. */
export const PRESETS = [
  { from: 'now-5m', words: 'Last 5 minutes' },
  { from: 'now-15m', words: 'Last 15 minutes' },
  { from: 'now-1h', words: 'Last hour' },
  { from: 'now-6h', words: 'Last 6 hours' },
  { from: 'now-24h', words: 'Last 24 hours' },
  { from: 'now-2d', words: 'Last 2 days' },
  { from: 'now-7d', words: 'Last 7 days' },
  { from: 'now-30d', words: 'Last 30 days' },
];

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
/** A shorter span has no two samples in it. */
const SHORTEST = 10;

/** A time, or one that is counted back from now; `null` for anything else. */
export function readMoment(text: string | null, now: number): number | null {
  const words = (text ?? '').replace(/\s/g, '');
  const back = /^now(?:-(\d{1,6})([smhdw]))?$/.exec(words);
  if (back !== null)
    return back[1] === undefined ? now : now - Number(back[1]) * SECONDS[back[2] as keyof typeof SECONDS];
  // Links of Grafana count milliseconds.
  return /^\d{13}$/.test(words) ? Number(words) / 1000 : readTime(words);
}

/** The range that an address names. What it does not name, or cannot be meant, is as in `otherwise`. */
export function readChartRange(parameters: URLSearchParams, otherwise = LAST_HOUR): ChartRange {
  const range = {
    from: (parameters.get('from') ?? otherwise.from).replace(/\s/g, ''),
    to: (parameters.get('to') ?? otherwise.to).replace(/\s/g, ''),
  };
  const now = Date.now() / 1000;
  const [from, to] = [readMoment(range.from, now), readMoment(range.to, now)];
  return from !== null && to !== null && to > from ? range : otherwise;
}

export function writeChartRange(parameters: URLSearchParams, range: ChartRange, otherwise = LAST_HOUR): void {
  if (range.from === otherwise.from && range.to === otherwise.to) return;
  parameters.set('from', range.from);
  parameters.set('to', range.to);
}

/** True if the range moves on with the clock. */
export const isLive = ({ to }: ChartRange): boolean => to.startsWith('now');

export function spanOf(range: ChartRange, now: number): Span {
  const to = readMoment(range.to, now) ?? now;
  const from = readMoment(range.from, now) ?? to - 3600;
  return { from: Math.min(from, to - SHORTEST), to };
}

/** A part that was chosen by hand. */
export function between({ from, to }: Span): ChartRange {
  const middle = (from + to) / 2;
  const half = Math.max(SHORTEST, to - from) / 2;
  return { from: writeTime(middle - half), to: writeTime(middle + half) };
}

/** `Last hour`, or `25 Nov 14:00 – 15:30`. */
export function describeRange(range: ChartRange, now: number): string {
  const preset = range.to === 'now' ? PRESETS.find(({ from }) => from === range.from) : undefined;
  return preset === undefined ? describeBounds(spanOf(range, now)) : preset.words;
}

/** Lengths of a step that people know how to read. Prometheus has a new sample every five seconds. */
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Seconds from one point of a chart to the next: the shortest step that makes at most `points` of them. */
export function stepOf({ from, to }: Span, points: number): number {
  return STEPS.find((step) => (to - from) / step <= points) ?? 86_400;
}

/** The span on whole steps: charts that are drawn again have the same points again. */
export function onSteps({ from, to }: Span, step: number): Span {
  const end = Math.floor(to / step) * step;
  return { from: Math.min(Math.floor(from / step) * step, end - step), to: end };
}
