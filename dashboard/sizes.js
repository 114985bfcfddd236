/** A plugin of Vite that prints how much travels for the first page and for each other, gzipped, and bounds it. */

import { gzipSync } from 'node:zlib';
import { ALSO } from './src/locales/folders.js';
import { catalogOf } from './texts.js';

/** KB of JavaScript, gzipped, that come before the first page is shown, or the login. */
const MOST_INITIAL = 120;
/** The page that most enter first. */
const FIRST = 'OverviewPage';
/** KB of JavaScript, gzipped, that one page adds, whatever it shows. */
const MOST_PAGE = 300;
/** The name of a catalog's chunk: whose texts they are, of which folder, in which language. */
const CATALOG = /^pages\.(?:pages|words)_(\w+)\.([\w-]+)\.compiled$/;

/** @typedef {import('vite').Rollup.OutputBundle} Bundle @typedef {import('vite').Rollup.OutputChunk} Chunk */

/** The file and all that it imports at once. @param {Bundle} bundle @param {string} file @param {Set<string>} [found] */
function closure(bundle, file, found = new Set()) {
  const chunk = bundle[file];
  if (found.has(file) || chunk?.type !== 'chunk') return found;
  found.add(file);
  for (const next of chunk.imports) closure(bundle, next, found);
  return found;
}

/** @param {Bundle} bundle @param {Iterable<string>} files */
function kilobytes(bundle, files) {
  let sum = 0;
  for (const file of files) sum += gzipSync(/** @type {Chunk} */ (bundle[file]).code).length;
  return sum / 1000;
}

/** @returns {import('vite').Plugin} */
export function sizes() {
  return {
    name: 'sizes',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
        /** @type {string[]} */
        const lines = [];
        /** @param {string} words @param {number} size @param {number} most */
        const note = (words, size, most) => {
          lines.push(`  ${words.padEnd(24)} ${size.toFixed(1).padStart(6)} KB of ${most}`);
          if (size > most)
            this.error(
              `${words}: ${size.toFixed(1)} KB of JavaScript, gzipped; at most ${most} KB may be. ` +
                'Load what is not needed at first by import(), or raise the bound in sizes.js and say why.',
            );
        };
        /** KB of a folder's texts in the language that has most of them. @param {string} folder */
        const texts = (folder) => {
          /** @type {Record<string, number>} */
          const sums = {};
          for (const { name, fileName } of chunks) {
            const [, of, locale] = CATALOG.exec(name) ?? [];
            if (of !== folder || locale === undefined) continue;
            sums[locale] = (sums[locale] ?? 0) + kilobytes(bundle, [fileName]);
          }
          return { sums, most: Math.max(0, ...Object.values(sums)) };
        };
        const first = texts('first');
        const initial = new Set();
        for (const chunk of chunks.filter(({ isEntry }) => isEntry)) {
          const files = closure(bundle, chunk.fileName);
          if (chunk.name === 'index') files.forEach((file) => initial.add(file));
          const own = chunk.name === 'login' ? texts('login').most : 0;
          note(`${chunk.name} and its texts`, kilobytes(bundle, files) + first.most + own, MOST_INITIAL);
        }
        for (const chunk of chunks.filter(
          ({ isDynamicEntry, name }) => isDynamicEntry && !CATALOG.test(name),
        )) {
          // A page's texts come with it, and those of no other page: whatever it imports must do with these.
          const own = chunk.facadeModuleId === null ? 'first' : catalogOf(chunk.facadeModuleId);
          const known = ['first', own, ...(ALSO[own] ?? [])];
          for (const file of closure(bundle, chunk.fileName)) {
            const foreign = Object.keys(/** @type {Chunk} */ (bundle[file]).modules).find(
              (id) =>
                // The name that wuchale's code has where it asks for texts.
                this.getModuleInfo(id)?.code?.includes('_w_load_') && !known.includes(catalogOf(id)),
            );
            if (foreign !== undefined && chunk.name.endsWith('Page'))
              this.error(
                `${chunk.name} imports ${foreign}, whose texts are loaded on its own page only: name its folder in src/locales/folders.js, or in FIRST in texts.js.`,
              );
          }
          const added = [...closure(bundle, chunk.fileName)].filter((file) => !initial.has(file));
          if (chunk.name === FIRST) {
            note(
              `index + ${chunk.name} + texts`,
              kilobytes(bundle, [...added, ...initial]) + first.most,
              MOST_INITIAL,
            );
            continue;
          }
          const more = known
            .slice(1)
            .reduce((sum, each) => sum + (each === 'first' ? 0 : texts(each).most), 0);
          note(`+ ${chunk.name}${more > 0 ? ' + texts' : ''}`, kilobytes(bundle, added) + more, MOST_PAGE);
        }
        for (const [locale, size] of Object.entries(first.sums))
          lines.push(`  texts of every page, ${locale.padEnd(7)} ${size.toFixed(1).padStart(5)} KB`);
        console.log(['JavaScript, gzipped:', ...lines].join('\n'));
      },
    },
  };
}
