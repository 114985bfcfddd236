/** Which events a person asks for: in the page's address, in words, and as the gateway's parameters. Pure. */

import { CAMERA_ID } from '../lib/contract.gen';
import type { Parameters } from '../lib/parameters';
import {
  type Bounds,
  RANGE_NAMES,
  TIME,
  type RangeName,
  readTime,
  startOf,
  writeTime,
} from '../lib/timerange';

export interface EventFilter {
  /** Names; none: all cameras. */
  cameras: readonly string[];
  group: string | null;
  /** A range that ends now; where there is one, `from` and `to` are null. */
  range: RangeName | null;
  /** Unix seconds. */
  from: number | null;
  to: number | null;
  /** At least so many at once. */
  faces: number | null;
  /** At least this, 0 to 1. */
  confidence: number | null;
  /** Whether somebody has seen it. */
  seen: boolean | null;
  feedback: FeedbackFilter | null;
}

export const FEEDBACK = ['wrong', 'missed', 'any'] as const;
export type FeedbackFilter = (typeof FEEDBACK)[number];

export const EVERYTHING: EventFilter = {
  cameras: [],
  group: null,
  range: null,
  from: null,
  to: null,
  faces: null,
  confidence: null,
  seen: null,
  feedback: null,
};

/** Tells whether the text can name a camera; the gateway refuses other names. */
export const isCameraId = (text: string): boolean => CAMERA_ID.test(text);

/** The gateway takes no more names than this at once. */
export const MOST_CAMERAS = 100;

/** What the filter may say in the address. */
export const FILTER_PARAMETERS: Parameters = {
  camera: CAMERA_ID,
  group: null,
  range: RANGE_NAMES,
  from: TIME,
  to: TIME,
  min_faces: /^([1-9]\d{0,2}|1000)$/,
  seen: ['true', 'false'],
  feedback: ['wrong', 'missed', 'any'],
  min_confidence: /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/,
};

function numberBetween(text: string | null, least: number, most: number): number | null {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return value >= least && value <= most ? value : null;
}

export function readFilter(parameters: URLSearchParams): EventFilter {
  const range = RANGE_NAMES.find((name) => name === parameters.get('range')) ?? null;
  let [from, to] =
    range === null ? [readTime(parameters.get('from')), readTime(parameters.get('to'))] : [null, null];
  if (from !== null && to !== null && from >= to) [from, to] = [null, null];
  const faces = numberBetween(parameters.get('min_faces'), 1, 1000);
  return {
    cameras: [...new Set(parameters.getAll('camera').filter(isCameraId))].slice(0, MOST_CAMERAS),
    group: parameters.get('group') || null,
    range,
    from,
    to,
    faces: faces === null ? null : Math.floor(faces),
    confidence: numberBetween(parameters.get('min_confidence'), 0, 1),
    seen: { true: true, false: false }[parameters.get('seen') ?? ''] ?? null,
    feedback: FEEDBACK.find((value) => value === parameters.get('feedback')) ?? null,
  };
}

function writeRest(
  parameters: URLSearchParams,
  { cameras, group, faces, confidence, seen, feedback }: EventFilter,
): void {
  for (const camera of cameras) parameters.append('camera', camera);
  if (group !== null) parameters.set('group', group);
  if (faces !== null) parameters.set('min_faces', String(faces));
  if (confidence !== null) parameters.set('min_confidence', String(confidence));
  if (seen !== null) parameters.set('seen', String(seen));
  if (feedback !== null) parameters.set('feedback', feedback);
}

/** Adds the filter to the parameters of the page's address. */
export function writeFilter(parameters: URLSearchParams, filter: EventFilter): void {
  if (filter.range !== null) parameters.set('range', filter.range);
  if (filter.from !== null) parameters.set('from', writeTime(filter.from));
  if (filter.to !== null) parameters.set('to', writeTime(filter.to));
  writeRest(parameters, filter);
}

/** Which span that is at `now`. */
export const boundsOf = ({ range, from, to }: EventFilter, now: number): Bounds =>
  range === null ? { from, to } : { from: Math.floor(startOf(range, now)), to: null };

/** The filter as parameters of `GET /api/events` and its export. */
export function eventParameters(filter: EventFilter, now: number): URLSearchParams {
  const parameters = new URLSearchParams();
  const { from, to } = boundsOf(filter, now);
  if (from !== null) parameters.set('from', String(from));
  if (to !== null) parameters.set('to', String(to));
  writeRest(parameters, filter);
  return parameters;
}

export const isEverything = (filter: EventFilter): boolean =>
  filter.cameras.length === 0 &&
  [
    ...[filter.group, filter.range, filter.from, filter.to, filter.faces, filter.confidence],
    ...[filter.seen, filter.feedback],
  ].every((part) => part === null);
