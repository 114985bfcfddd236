// @ts-check
/** The dashboard's languages: texts stay in the code, in English, and the build takes them from the catalogs in src/locales (docs/languages.md). */

import { adapter as svelte } from '@wuchale/svelte';
import { defineConfig } from 'wuchale';
import { adapter as vanilla } from 'wuchale/adapter-vanilla';

export default defineConfig({
  locales: ['en', 'vi', 'zh-Hans'],
  // Nothing is sent anywhere to be translated.
  ai: null,
  adapters: {
    pages: svelte({ files: ['src/**/*.svelte', 'src/**/*.svelte.ts'] }),
    words: vanilla({
      files: { include: 'src/**/*.ts', ignore: ['src/**/*.svelte.ts', 'src/**/*.gen.ts', 'src/locales/**'] },
    }),
  },
});
