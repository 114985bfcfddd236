/** The page's address is its state: what is filtered and what is open, so that back works and links can be copied. */

import {
  type Address,
  type Link,
  type Links,
  type PageAddress,
  type Step,
  readPlace,
  writePlace,
} from '../lib/address';
import { BASE, below } from '../lib/base';

function here(): Address {
  return { pathname: below(location.pathname), search: location.search };
}

export class Route {
  address = $state.raw<Address>(here());
  /** True if the browser's "back" closes what is open. */
  #within = false;

  constructor() {
    addEventListener('popstate', (event) => {
      this.#within = (event.state as { within?: boolean } | null)?.within === true;
      this.address = here();
    });
  }

  /** A page's place, and the ways to change it. */
  on<Place extends object>(page: PageAddress<Place>): Here<Place> {
    return new Here(this, page);
  }

  /** Goes to an address such as `/events?range=1h`. */
  go(address: string, { replace = false, opens = false }: Step = {}): void {
    if (replace) history.replaceState(history.state, '', BASE + address);
    else {
      this.#within = opens;
      history.pushState({ within: opens }, '', BASE + address);
    }
    this.address = here();
  }

  /** Closes what is open, as "back" does where it was opened from the page below. */
  close(address: string): void {
    if (this.#within) history.back();
    else this.go(address, { replace: true });
  }

  /** An `onclick` for links within the dashboard; modified clicks stay the browser's. */
  follow =
    (address: string, step: Step = {}) =>
    (event: MouseEvent) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.go(address, step);
    };
}

/** One page's part of the address. Changes of a part leave the rest as it is; from other pages they lead to this one. */
export class Here<Place extends object> implements Links<Place> {
  constructor(
    private readonly route: Route,
    private readonly page: PageAddress<Place>,
  ) {}

  get place(): Place {
    return readPlace(this.page, this.route.address);
  }

  href(change: Partial<Place>): string {
    return BASE + this.#write(change);
  }

  go(change: Partial<Place>, step: Step = {}): void {
    this.route.go(this.#write(change), step);
  }

  close(change: Partial<Place>): void {
    this.route.close(this.#write(change));
  }

  follow(change: Partial<Place>, step: Step = {}): (event: MouseEvent) => void {
    return (event) => this.route.follow(this.#write(change), step)(event);
  }

  /** Both at once, for `<a {...here.link(…)}>`. */
  link(change: Partial<Place>, step: Step = {}): Link {
    return { href: this.href(change), onclick: this.follow(change, step) };
  }

  #write(change: Partial<Place>): string {
    return writePlace(this.page, { ...this.place, ...change });
  }
}
