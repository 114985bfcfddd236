/** The language that the dashboard speaks. It is chosen before anything is shown; another choice loads the page again. */

import { locales, type Locale } from '../locales/data';

export type { Locale };

const KEY = 'framefleet.language';

/** In their own language. */
// @wc-ignore
export const LOCALES: readonly { id: Locale; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'vi', name: 'Tiếng Việt' },
  { id: 'zh-Hans', name: '简体中文' },
];

/** Traditional characters are another script: whoever reads those is better served by English. */
const TRADITIONAL = /^zh-(hant|tw|hk|mo)\b/i;

/** The first of the languages that a person reads which there is; English where there is none. */
export function matching(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    if (TRADITIONAL.test(tag)) continue;
    const language = tag.toLowerCase().split('-')[0];
    const found = locales.find((locale) => locale.toLowerCase().split('-')[0] === language);
    if (found !== undefined) return found;
  }
  return 'en';
}

function stored(): Locale | undefined {
  try {
    return locales.find((known) => known === localStorage.getItem(KEY));
  } catch {
    return undefined;
  }
}

const current: Locale = stored() ?? matching(globalThis.navigator?.languages ?? []);

export const locale = (): Locale => current;

/** The language for `Intl`: English dates have the day before the month. */
export const intlLocale = (): string => (current === 'en' ? 'en-GB' : current);

/** Keeps the choice and loads the page again. */
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
