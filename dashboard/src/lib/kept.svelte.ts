/** A choice that this browser keeps: all its tabs follow a change at once, and a reload finds it again. */

const PREFIX = 'framefleet.';

export interface Kept<T extends string> {
  value: T;
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off
  }
}

/** `read` returns what a stored text means; `otherwise` stands where nothing is stored, or nothing that is valid. */
export function kept<T extends string>(
  name: string,
  otherwise: T,
  read: (text: string) => T | null,
  changed: (value: T) => void = () => undefined,
): Kept<T> {
  const key = PREFIX + name;
  const parse = (text: string | null): T => (text === null ? null : read(text)) ?? otherwise;
  let value = $state.raw<T>(parse(stored(key)));

  // Other tabs hear of a change; `key` is null when everything was cleared.
  globalThis.addEventListener?.('storage', (event: StorageEvent) => {
    if (event.key !== key && event.key !== null) return;
    value = parse(event.key === null ? null : event.newValue);
    changed(value);
  });

  return {
    get value() {
      return value;
    },
    set value(next: T) {
      value = next;
      try {
        // What is as it was at first is not stored: a later default then holds.
        if (next === otherwise) localStorage.removeItem(key);
        else localStorage.setItem(key, next);
      } catch {
        // Storage is switched off: the choice lasts as long as the page.
      }
      changed(next);
    },
  };
}

/** A reader of one of the `known` words. */
export const oneOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): T | null =>
    known.find((each) => each === text) ?? null;

/** True if the browser keeps choices at all. */
export function keeps(): boolean {
  try {
    localStorage.setItem(`${PREFIX}probe`, '');
    localStorage.removeItem(`${PREFIX}probe`);
    return true;
  } catch {
    return false;
  }
}
