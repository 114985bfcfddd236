/** Loads the texts of the chosen language, a folder's at a time. Nothing else imports the catalogs. */

import { load } from '../locales/catalogs';
import { ALSO } from '../locales/folders';
import { locale } from './locale';

/** Loads the texts that every page needs. To be awaited before the first module with texts is imported. */
export async function loadFirstTexts(): Promise<void> {
  document.documentElement.lang = locale();
  await load('first', locale());
}

/** Loads the texts of a page's folder, and of others that it shows, before its code; nothing where they have none of their own. */
export async function loadTexts(folder: string): Promise<void> {
  await Promise.all([folder, ...(ALSO[folder] ?? [])].map((each) => load(each, locale())));
}
