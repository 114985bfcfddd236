import { untrack } from 'svelte';

/** A number for people to read: follows its source once a second, however often that changes. */
export function slowly(tick: () => number, read: () => number | null): { readonly value: number | null } {
  let value = $state<number | null>(null);
  const second = $derived(Math.floor(tick() / 1000));
  $effect.pre(() => {
    void second;
    value = untrack(read);
  });
  return {
    get value() {
      return value;
    },
  };
}
