/** Answers about a span of time that may move on with the clock: each is kept with the span that it is of. */

import { untrack } from 'svelte';
import { every, reasonOf, type Reader } from '../lib/api';
import { type ChartRange, spanOf } from '../lib/charts/range';
import type { Gateway } from '../lib/poll.svelte';
import type { Span } from '../lib/timerange';

export interface OfSpan<T> {
  readonly answer: T | null;
  readonly span: Span | null;
  /** Why the last question has no answer. */
  readonly error: string | null;
}

/**
 * Asks `path(span)` now and then every `ms` milliseconds; nothing while `subject` is `null`. Answers about another one are
 * forgotten.
 */
export function ofSpan<T>(
  gateway: Gateway,
  subject: () => string | null,
  range: () => ChartRange,
  path: (span: Span) => string,
  read: Reader<T>,
  ms: number,
): OfSpan<T> {
  let found = $state.raw<{ subject: string; answer: T; span: Span } | null>(null);
  let error = $state<string | null>(null);

  $effect(() => {
    const [asked, wanted] = [subject(), range()];
    error = null;
    if (asked === null) return;
    const ask = async (signal: AbortSignal) => {
      if (document.hidden) return;
      const { from, to } = spanOf(wanted, gateway.now);
      const span = { from: Math.floor(from), to: Math.ceil(to) };
      try {
        const answer = await gateway.ask(path(span), read, signal);
        if (signal.aborted) return;
        found = { subject: asked, answer, span };
        error = null;
      } catch (failure) {
        if (!signal.aborted) error = reasonOf(failure);
      }
    };
    // The clock ticks: whoever followed it would ask four times a second.
    return untrack(() => every(ms, ask));
  });

  const own = $derived(found?.subject === subject() ? found : null);
  return {
    get answer() {
      return own?.answer ?? null;
    },
    get span() {
      return own?.span ?? null;
    },
    get error() {
      return error;
    },
  };
}
