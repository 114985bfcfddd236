/** A plugin of Vite that prints how much travels for the first page and for each other, gzipped, and bounds it. */

import { gzipSync } from 'node:zlib';

/** KB of JavaScript, gzipped, that come before the first page is shown, or the login. */
const MOST_INITIAL = 120;
/** The page that most enter first. */
const FIRST = 'OverviewPage';
/** KB of JavaScript, gzipped, that one page adds, whatever it shows. */
const MOST_PAGE = 300;

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
        const initial = new Set();
        for (const chunk of chunks.filter(({ isEntry }) => isEntry)) {
          const files = closure(bundle, chunk.fileName);
          if (chunk.name === 'index') files.forEach((file) => initial.add(file));
          note(chunk.name, kilobytes(bundle, files), MOST_INITIAL);
        }
        for (const chunk of chunks.filter(({ isDynamicEntry }) => isDynamicEntry)) {
          const added = [...closure(bundle, chunk.fileName)].filter((file) => !initial.has(file));
          const first = chunk.name === FIRST;
          const files = first ? [...added, ...initial] : added;
          note(
            `${first ? 'index' : ''} + ${chunk.name}`.trim(),
            kilobytes(bundle, files),
            first ? MOST_INITIAL : MOST_PAGE,
          );
        }
        console.log(['JavaScript, gzipped:', ...lines].join('\n'));
      },
    },
  };
}
