/** The place that the page's address names: which page, what is filtered, what is open. Pure. */

import { type EventFilter, EVERYTHING, readFilter, writeFilter } from './eventfilter';
import { CAMERA_STATES, type CameraState } from './protocol';
import { readFrameId } from './why';

export const PAGES = ['overview', 'events'] as const;
export type PageName = (typeof PAGES)[number];

export interface Place {
  page: PageName;
  /** Overview: the camera that is open in the large view. */
  camera: string | null;
  /** Overview: the search among cameras. */
  q: string;
  state: CameraState | null;
  group: string | null;
  /** Events: which ones. */
  filter: EventFilter;
  /** Events: the one that is open. */
  event: number | null;
  /** Events: the frame whose way is open. */
  frame: string | null;
}

/** The pages as they are entered. */
export const OVERVIEW: Place = {
  page: 'overview',
  camera: null,
  q: '',
  state: null,
  group: null,
  filter: EVERYTHING,
  event: null,
  frame: null,
};
export const EVENTS: Place = { ...OVERVIEW, page: 'events' };

export function readPlace({ pathname, search }: { pathname: string; search: string }): Place {
  const parameters = new URLSearchParams(search);
  if (/^\/events\/?$/.test(pathname)) {
    const event = parameters.get('event');
    return {
      ...EVENTS,
      filter: readFilter(parameters),
      event: event !== null && /^\d{1,15}$/.test(event) ? Number(event) : null,
      frame: readFrameId(parameters.get('frame')),
    };
  }
  return {
    ...OVERVIEW,
    camera: parameters.get('camera') || null,
    q: parameters.get('q') ?? '',
    state: CAMERA_STATES.find((state) => state === parameters.get('state')) ?? null,
    group: parameters.get('group') || null,
  };
}

export function writePlace({ page, camera, q, state, group, filter, event, frame }: Place): string {
  const parameters = new URLSearchParams();
  if (page === 'events') {
    writeFilter(parameters, filter);
    if (event !== null) parameters.set('event', String(event));
    if (frame !== null) parameters.set('frame', frame);
  } else {
    if (q !== '') parameters.set('q', q);
    if (state !== null) parameters.set('state', state);
    if (group !== null) parameters.set('group', group);
    if (camera !== null) parameters.set('camera', camera);
  }
  // Colons are allowed there, and times are easier to read with them.
  const search = parameters.toString().replaceAll('%3A', ':');
  const path = page === 'events' ? '/events' : '/';
  return search === '' ? path : `${path}?${search}`;
}

/** Tells whether going from one place to the other opens something that closes again into the first. */
export function opens(from: Place, to: Place): boolean {
  if (from.page !== to.page) return false;
  return to.page === 'events'
    ? from.event === null && from.frame === null && (to.event !== null || to.frame !== null)
    : from.camera === null && to.camera !== null;
}
