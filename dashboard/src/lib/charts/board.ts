/** What all charts of a page share: the range in the address, the gateway's clock, and the way to ask. */

import type { ServerClock } from '../clock';
import { type ChartRange, between } from './range';
import type { Span } from '../timerange';
import type { Ask } from './query';

export interface Board {
  readonly range: ChartRange;
  ask: Ask;
  /** The gateway's time, Unix seconds. */
  now(): number;
  choose(range: ChartRange): void;
  /** Shows a part that was chosen by dragging. */
  zoom(span: Span): void;
  /** Undoes the last zoom. */
  back(): void;
}

/** `range` reads the page's address and `onrange` changes it; `now` is the gateway's time. */
export function boardOf(page: {
  ask: Ask;
  now: () => number;
  range: () => ChartRange;
  onrange: (range: ChartRange) => void;
}): Board {
  const zoomedFrom: ChartRange[] = [];
  return {
    get range() {
      return page.range();
    },
    ask: page.ask,
    now: page.now,
    choose(range) {
      zoomedFrom.length = 0;
      page.onrange(range);
    },
    zoom(span) {
      zoomedFrom.push(page.range());
      page.onrange(between(span));
    },
    back() {
      const before = zoomedFrom.pop();
      if (before !== undefined) page.onrange(before);
    },
  };
}

/** The board of a page whose address has the range. `here` is read again each time. */
export function pageBoard(
  app: { ask: Ask; clock: Pick<ServerClock, 'now'> },
  here: () => { place: { range: ChartRange }; go: (change: { range: ChartRange }) => void },
): Board {
  return boardOf({
    ask: (path, read, signal) => app.ask(path, read, signal),
    now: () => app.clock.now(),
    range: () => here().place.range,
    onrange: (range) => here().go({ range }),
  });
}
