/** What the events page's address says: which events are shown, and what is open. Pure. */

import type { PageAddress } from '../lib/address';
import { readFrameId } from '../lib/why';
import { type EventFilter, EVERYTHING, FILTER_PARAMETERS, readFilter, writeFilter } from './eventfilter';

export interface EventsPlace {
  /** Which events are shown. */
  filter: EventFilter;
  /** The one that is open. */
  event: number | null;
  /** The frame whose way is open. */
  frame: string | null;
}

export const EVENTS: PageAddress<EventsPlace> = {
  path: '/events',
  empty: { filter: EVERYTHING, event: null, frame: null },
  parameters: { ...FILTER_PARAMETERS, event: /^\d{1,15}$/, frame: null },
  read(parameters) {
    const event = parameters.get('event');
    return {
      filter: readFilter(parameters),
      event: event !== null && /^\d{1,15}$/.test(event) ? Number(event) : null,
      frame: readFrameId(parameters.get('frame')),
    };
  },
  write({ filter, event, frame }, parameters) {
    writeFilter(parameters, filter);
    if (event !== null) parameters.set('event', String(event));
    if (frame !== null) parameters.set('frame', frame);
  },
};

/** All events of one camera. */
export const eventsOf = (camera: string): EventsPlace => ({
  ...EVENTS.empty,
  filter: { ...EVERYTHING, cameras: [camera] },
});
