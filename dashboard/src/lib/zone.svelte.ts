/** The time zone that was chosen in the settings; '' for this browser's own. lib/localtime.ts reckons with it. */

import { type Kept, kept } from './kept.svelte';

/** The name of a zone that this browser knows, as it was given; `null` for anything else. */
export function readZone(name: string): string | null {
  if (name === '') return '';
  // Browsers also take offsets such as +07:00, which no list has.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return null;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return null;
  }
}

export const zone: Kept<string> = kept('zone', '', readZone);
