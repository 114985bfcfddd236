// @ts-check
/** The dashboard's languages: texts stay in the code, in English, and the build takes them from the catalogs in src/locales (docs/languages.md). */

import { adapter as svelte } from '@wuchale/svelte';
import { defineConfig } from 'wuchale';
import { adapter as vanilla } from 'wuchale/adapter-vanilla';
import { catalogOf, heuristic } from './texts.js';

/** The language is chosen before anything is shown and stays: no text is reactive. */
/** @type {import('wuchale').RuntimeConf} */
const runtime = {
  initReactive: ({ funcName }) => (funcName === undefined ? false : null),
  useReactive: false,
  plain: { wrapInit: (code) => code, wrapUse: (code) => code },
  reactive: { wrapInit: (code) => code, wrapUse: (code) => code },
};

/** @param {string} kind */
const shared = (kind) => ({
  heuristic,
  runtime,
  // A catalog for each folder, loaded by src/locales/catalogs.ts.
  loader: 'custom',
  granularLoad: true,
  generateLoadID: (/** @type {string} */ file) => `${kind}_${catalogOf(file)}`,
});

const modules = vanilla({
  ...shared('words'),
  files: { include: 'src/**/*.ts', ignore: ['src/**/*.gen.ts', 'src/locales/**'] },
});

/** Of modules, wuchale knows texts within functions only: theirs are also in tables, so that the whole module has its texts. */
const words = {
  ...modules,
  /** @type {import('wuchale').Adapter['transform']} */
  transform: async (context) => {
    const result = await modules.transform(context);
    return {
      ...result,
      output: (/** @type {string} */ header) =>
        result.output(`${header}\nconst _w_runtime_ = ${context.expr.plain};`),
    };
  },
};

export default defineConfig({
  locales: ['en', 'vi', 'zh-Hans'],
  // Nothing is sent anywhere to be translated.
  ai: null,
  adapters: {
    pages: svelte({ ...shared('pages'), files: 'src/**/*.svelte' }),
    words,
  },
});
