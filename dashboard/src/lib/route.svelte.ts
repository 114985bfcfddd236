/** The page's address is its state: what is filtered and what is open, so that back works and links can be copied. */

import { BASE, below } from './base';
import { type Place, opens, readPlace, writePlace } from './place';

function here(): Place {
  return readPlace({ pathname: below(location.pathname), search: location.search });
}

export class Route {
  place = $state.raw<Place>(here());
  /** True if the browser's "back" closes what is open. */
  #within = false;

  constructor() {
    addEventListener('popstate', (event) => {
      this.#within = (event.state as { within?: boolean } | null)?.within === true;
      this.place = here();
    });
  }

  href(change: Partial<Place>): string {
    return BASE + writePlace({ ...this.place, ...change });
  }

  /** Goes to a place; with `replace`, without a step in the history (typing, stepping through cameras). */
  go(change: Partial<Place>, { replace = false } = {}): void {
    const href = this.href(change);
    if (replace) history.replaceState(history.state, '', href);
    else {
      this.#within = opens(this.place, { ...this.place, ...change });
      history.pushState({ within: this.#within }, '', href);
    }
    this.place = here();
  }

  /** Closes what is open, as "back" does where it was opened from the page below. */
  close(): void {
    if (this.#within) history.back();
    else this.go({ camera: null, event: null, frame: null }, { replace: true });
  }

  /** An `onclick` for links within this page; modified clicks stay the browser's. */
  follow = (change: Partial<Place>) => (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.go(change);
  };
}
