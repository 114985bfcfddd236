/** A video's time: where things lie in its strip, which picture is nearest, and what is there in words. Pure. */

import { plural } from '../lib/plural';
import type { JobTimelineView } from '../lib/contract.gen';
import { confidenceText } from '../lib/layers';

export interface Part {
  left: number;
  width: number;
}

/** Where `time` to `until` lies, in percent of a video of so many seconds. */
export function partOf({ time, until }: { time: number; until: number }, seconds: number): Part {
  if (seconds <= 0) return { left: 0, width: 0 };
  const share = (at: number) => Math.min(100, Math.max(0, (at / seconds) * 100));
  return { left: share(time), width: share(until) - share(time) };
}

/** The time among `sorted` that is nearest; `null` if there is none. */
export function nearest(sorted: readonly number[], time: number): number | null {
  let [low, high] = [0, sorted.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= time) low = middle;
    else high = middle;
  }
  const [one, other] = [sorted[low], sorted[high]];
  if (one === undefined || other === undefined) return null;
  return time - one <= other - time ? one : other;
}

/** The next time of `sorted` after (`1`) or before (`-1`) `time`; the last one where there is none beyond. */
export function following(sorted: readonly number[], time: number, direction: 1 | -1): number {
  const beyond =
    direction > 0
      ? sorted.find((each) => each > time + 0.0005)
      : sorted.findLast((each) => each < time - 0.0005);
  return beyond ?? time;
}

const two = (number: number) => String(number).padStart(2, '0');

/** `0:12`, `1:02:03`, with tenths where they are asked for. */
export function videoClock(seconds: number, tenths = false): string {
  const all = tenths ? Math.floor(seconds * 10) : Math.floor(seconds) * 10;
  const whole = Math.floor(all / 10);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const clock = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return tenths ? `${clock}.${all % 10}` : clock;
}

const LENGTHS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

/** Times for marks below the strip, at most `most` of them. */
export function marks(seconds: number, most: number): number[] {
  if (seconds <= 0 || most < 1) return [];
  const step = LENGTHS.find((each) => seconds / each <= most) ?? 86_400;
  const count = Math.floor(seconds / step);
  return Array.from({ length: count + 1 }, (_, number) => number * step).filter((time) => time < seconds);
}

/** The stretch with faces at that time; `null` if nothing was found then. */
export const presenceAt = ({ presences }: Pick<JobTimelineView, 'presences'>, time: number) =>
  presences.find((presence) => presence.time <= time && time <= presence.until) ?? null;

/** What was found at that time, or why nothing is known. */
export function wordsAt(view: JobTimelineView, time: number): string {
  const clock = videoClock(time, true);
  const presence = presenceAt(view, time);
  if (presence !== null)
    return `${clock}: ${plural(presence.faces, ['# face', 'up to # faces'])}, ${confidenceText(presence.confidence)}`;
  return view.skipped.some((each) => each.time <= time && time <= each.until)
    ? `${clock}: nothing new, so it was skipped`
    : `${clock}: no face`;
}

/** What the strip holds, for those who do not see it. */
export function gist(view: JobTimelineView): string {
  const found = plural(view.presences.length, ['# stretch with faces', '# stretches with faces']);
  const read = view.state === 'ok' || view.state === 'failed';
  return read ? `${found} in ${videoClock(view.seconds)}` : `${found} in ${videoClock(view.seconds)} so far`;
}
