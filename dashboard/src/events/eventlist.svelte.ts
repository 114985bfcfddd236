/** The events of one filter: loaded page by page, kept up to date, new ones held back while somebody reads. */

import { reasonOf } from '../lib/api';
import type { EventView } from '../lib/contract.gen';
import { type EventPage, PAGE, append, newIn, refresh, refreshSize, update } from './events';

/** Fetches `GET /api/events` with the parameters. */
export type LoadEvents = (parameters: URLSearchParams, signal: AbortSignal) => Promise<EventPage>;

export class EventList {
  items = $state.raw<readonly EventView[]>([]);
  /** `stale`: another filter's events are shown until those of this one arrive. */
  phase = $state<'loading' | 'stale' | 'ready' | 'failed'>('loading');
  /** The state of the older events. */
  older = $state<'none' | 'more' | 'loading' | 'failed'>('none');
  /** How many new events are held back. */
  held = $state(0);
  /** The reason why the events cannot be had, or are not up to date. */
  problem = $state<string | null>(null);

  #load: LoadEvents;
  /** Read anew for each question: a range that ends now moves on. */
  #parameters: () => URLSearchParams = () => new URLSearchParams();
  #next: string | null = null;
  #heldPage: EventPage | null = null;
  /** Ends questions that were asked for an earlier filter. */
  #turn = new AbortController();

  constructor(load: LoadEvents) {
    this.#load = load;
  }

  /** Shows the events of another filter, from the newest on. */
  async show(parameters: () => URLSearchParams): Promise<void> {
    this.#turn.abort();
    this.#turn = new AbortController();
    this.#parameters = parameters;
    this.phase = this.items.length > 0 ? 'stale' : 'loading';
    this.older = 'none';
    this.#hold(null);
    await this.#fetch({ limit: PAGE }, (page) => this.#take(page));
  }

  /**
   * Asks what has changed. While somebody is `reading`, new events are only counted; while one is `open`, none goes
   * either: the way to its neighbours stays, also where it matches the filter no longer.
   */
  async poll(reading: boolean, open = false): Promise<void> {
    const { signal } = this.#turn;
    await this.#fetch({ limit: refreshSize(this.items) }, (page) => {
      if (signal.aborted) return;
      if (this.phase !== 'ready' || (!open && (!reading || newIn(this.items, page) === 0)))
        return this.#take(refresh(this.#page(), page));
      this.items = update(this.items, page);
      this.#hold(page);
    });
  }

  /** Takes an event as a change of it was answered. */
  put(event: EventView): void {
    this.items = update(this.items, { items: [event], next: null });
  }

  /** Shows the events that were held back. */
  reveal(): void {
    if (this.#heldPage !== null) this.#take(refresh(this.#page(), this.#heldPage));
  }

  /** Fetches the next page of older events. */
  async more(): Promise<void> {
    const cursor = this.#next;
    if (cursor === null || this.older === 'loading' || this.phase !== 'ready') return;
    this.older = 'loading';
    const done = await this.#fetch({ limit: PAGE, cursor }, (page) => {
      // The list may have begun anew meanwhile: then the page does not belong to it.
      if (this.#next === cursor) this.#set(append(this.#page(), page));
      else this.#set(this.#page());
    });
    if (!done && this.older === 'loading') this.older = 'failed';
  }

  stop(): void {
    this.#turn.abort();
  }

  #page(): EventPage {
    return { items: this.items, next: this.#next };
  }

  #set({ items, next }: EventPage): void {
    this.items = items;
    this.#next = next;
    this.older = next === null ? 'none' : 'more';
  }

  #take(page: EventPage): void {
    const loading = this.older === 'loading';
    this.#set(page);
    if (loading && page.next !== null) this.older = 'loading';
    this.phase = 'ready';
    this.#hold(null);
  }

  #hold(page: EventPage | null): void {
    this.#heldPage = page;
    this.held = page === null ? 0 : newIn(this.items, page);
  }

  /** Returns true if that went well; otherwise `problem` says why it did not. */
  async #fetch(more: { limit: number; cursor?: string }, then: (page: EventPage) => void): Promise<boolean> {
    const { signal } = this.#turn;
    const parameters = this.#parameters();
    for (const [name, value] of Object.entries(more)) parameters.set(name, String(value));
    try {
      const page = await this.#load(parameters, signal);
      if (signal.aborted) return false;
      this.problem = null;
      then(page);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.problem = reasonOf(error);
      if (this.phase !== 'ready') this.phase = 'failed';
      return false;
    }
  }
}
