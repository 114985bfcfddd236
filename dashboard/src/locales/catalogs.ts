/** The catalogs of one language, loaded a folder at a time: what is on no page that is open does not travel. */

import toRuntime, { type Runtime } from 'wuchale/runtime';
import * as pages from './.wuchale/pages.proxy.js';
import * as words from './.wuchale/words.proxy.js';

const runtimes = new Map<string, Runtime>();
const empty = toRuntime();

/** Where the texts of a module are; `id` is `pages_` or `words_` and the name of its folder. */
export const getRuntime = (id: string): Runtime => runtimes.get(id) ?? empty;

/** Resolves at once where the folder has no texts, or they are there. */
export async function load(folder: string, locale: string): Promise<void> {
  const catalogs = [
    { id: `pages_${folder}`, from: pages },
    { id: `words_${folder}`, from: words },
  ].filter(({ id, from }) => from.loadIDs.includes(id) && !runtimes.has(id));
  await Promise.all(
    catalogs.map(async ({ id, from }) => {
      runtimes.set(id, toRuntime(await from.loadCatalog(id, locale), locale));
    }),
  );
}
