/** A filter of events in words. Apart from the filter, which other pages link with: their texts are not these. Pure. */

import { plural } from '../lib/plural';
import { RANGES, describeBounds } from '../lib/timerange';
import type { EventFilter } from './eventfilter';

// @wc-include
export const FEEDBACK_WORDS = { wrong: 'wrong', missed: 'missed' };

/** How many faces an event shows; without one, what it is of. */
export function facesWords(faces: number): string {
  return faces === 0 ? 'motion, no face' : plural(faces, ['# face', '# faces']);
}

/** `camera gate-3, in the last hour, at least 2 faces`; empty for everything. */
export function describeFilter(filter: EventFilter, named: (camera: string) => string): string {
  const { cameras, group, range, from, to, faces, confidence, seen, feedback } = filter;
  const when =
    range === null
      ? describeBounds({ from, to })
      : range === 'today'
        ? RANGES.today
        : range === '1h'
          ? 'in the last hour'
          : `in the last ${RANGES[range]}`;
  const [first] = cameras;
  return [
    first === undefined
      ? ''
      : cameras.length === 1
        ? `camera ${named(first)}`
        : plural(cameras.length, ['# camera', '# cameras']),
    group === null ? '' : `group ${group}`,
    when,
    faces === null ? '' : plural(faces, ['at least # face', 'at least # faces']),
    confidence === null ? '' : `confidence at least ${Math.round(confidence * 100)} %`,
    seen === null ? '' : seen ? 'already seen' : 'not seen yet',
    feedback === null ? '' : feedback === 'any' ? 'with feedback' : `feedback “${FEEDBACK_WORDS[feedback]}”`,
  ]
    .filter(Boolean)
    .join(', ');
}
