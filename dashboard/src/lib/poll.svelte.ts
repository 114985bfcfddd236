/** Answers of the gateway that are read again and again while a component shows them. */

import { createSubscriber } from 'svelte/reactivity';
import { type Reader, every, reasonOf } from './api';

/** The part of the App that asks the gateway. */
export interface Gateway {
  /** Server time, Unix seconds. */
  readonly now: number;
  ask<T>(path: string, read: Reader<T>, signal: AbortSignal): Promise<T>;
}

export interface Poll<T> {
  /** The newest answer; it stays while later questions fail. `null` before the first, and after the path changed. */
  readonly value: T | null;
  /** Why the last question has no answer. */
  readonly error: string | null;
  /** Local milliseconds when `value` came. */
  readonly at: number | null;
  /** Asks at once, for instance after a change. */
  again(): void;
}

const onVisibility = createSubscriber((update) => {
  document.addEventListener('visibilitychange', update);
  return () => document.removeEventListener('visibilitychange', update);
});

function visible(): boolean {
  onVisibility();
  return document.visibilityState === 'visible';
}

/**
 * Reads `path` now and then every `ms` milliseconds, while its component is mounted and the tab visible. `path` may be
 * a function of the component's state; while it returns `null`, nothing is asked. `ms` may be one, too.
 */
export function poll<T>(
  gateway: Gateway,
  path: string | (() => string | null),
  read: Reader<T>,
  ms: number | (() => number),
): Poll<T> {
  let value = $state.raw<T | null>(null);
  let error = $state<string | null>(null);
  let at = $state<number | null>(null);
  let turns = $state(0);
  const asked = $derived(typeof path === 'string' ? path : path());
  const period = $derived(typeof ms === 'number' ? ms : ms());
  let answered: string | null = null;

  $effect(() => {
    void turns;
    const question = asked;
    if (question !== answered) {
      answered = question;
      value = null;
      error = null;
      at = null;
    }
    if (question === null || !visible()) return;
    return every(period, async (signal) => {
      try {
        const answer = await gateway.ask(question, read, signal);
        if (signal.aborted) return;
        value = answer;
        error = null;
        at = performance.now();
      } catch (failure) {
        if (!signal.aborted) error = reasonOf(failure);
      }
    });
  });

  return {
    get value() {
      return value;
    },
    get error() {
      return error;
    },
    get at() {
      return at;
    },
    again: () => void (turns += 1),
  };
}
