/** Loads the texts of the chosen language, a folder's at a time. Nothing else imports the catalogs. */

import { load } from '../locales/catalogs';
import { locale } from './locale';

/** Loads the texts that every page needs. To be awaited before the first module with texts is imported. */
export async function loadFirstTexts(): Promise<void> {
  document.documentElement.lang = locale();
  await load('first', locale());
}

/** Loads the texts of one page's folder, before its code; nothing where the folder has none of its own. */
export const loadTexts = (folder: string): Promise<void> => load(folder, locale());
