/** The language that the dashboard speaks: chosen once before anything is shown; another choice loads the page again. */

import { loadLocale } from 'wuchale/load-utils';
import { locales, type Locale } from '../locales/data';
// They register what is to be loaded.
import '../locales/pages.loader.svelte';
import '../locales/words.loader';

const KEY = 'framefleet.language';

/** In their own language. */
export const LOCALES: readonly { id: Locale; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'vi', name: 'Tiếng Việt' },
  { id: 'zh-Hans', name: '简体中文' },
];

/** The first of the languages that a person reads which there is; English where there is none. */
export function matching(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    const found = locales.find((locale) => locale.toLowerCase().split('-')[0] === language);
    if (found !== undefined) return found;
  }
  return 'en';
}

function chosen(): Locale | undefined {
  try {
    return locales.find((known) => known === localStorage.getItem(KEY));
  } catch {
    return undefined;
  }
}

let current: Locale | undefined;

export function locale(): Locale {
  current ??= chosen() ?? matching(globalThis.navigator?.languages ?? []);
  return current;
}

/** Load the texts. To be awaited before the first module with texts is imported. */
export async function loadTexts(): Promise<void> {
  document.documentElement.lang = locale();
  await loadLocale(locale());
}

export function setLocale(id: Locale): void {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // Storage is switched off: the browser's own language stays.
  }
  location.reload();
}

/** Forgets the choice: the browser's own language is spoken again, after a reload if it is another. */
export function forgetLocale(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    return; // storage is switched off: there is no choice
  }
  if (matching(globalThis.navigator?.languages ?? []) !== locale()) location.reload();
}
