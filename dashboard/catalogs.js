// @ts-check
/**
 * Checks the languages: every text of the code is in the catalogs and translated, no translation is broken or left over,
 * and no text was forgotten. Writes what the catalogs compile to (`src/locales/.wuchale`), which the code imports.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'svelte/compiler';
import ts from 'typescript';
import { Hub, getConfig, pofile } from 'wuchale';
import { remaining } from './texts.js';

const root = fileURLToPath(new URL('.', import.meta.url));
process.chdir(root);
const config = async () => ({ ...(await getConfig()), logLevel: /** @type {const} */ ('warn') });
const nothing = () => undefined;
/** Reads files and changes none. */
const readOnly = {
  read: (/** @type {string} */ file) => readFile(file, 'utf8').catch(() => null),
  exists: (/** @type {string} */ file) =>
    access(file).then(
      () => true,
      () => false,
    ),
  write: nothing,
  mkdir: nothing,
  unlink: nothing,
};

/** @type {string[]} */
const faults = [];

/** What the catalogs lack, have too much, or have wrong. */
async function checkCatalogs() {
  const { locales, localesDir } = await config();
  const storage = await pofile()({
    locales,
    root,
    localesDir,
    sourceLocale: 'en',
    haveUrl: false,
    fs: readOnly,
  });
  const { items, pluralRules } = await storage.load();
  for (const { translations, references } of items) {
    const [text = ''] = translations.get('en') ?? [];
    if (references.length === 0) faults.push(`no longer in the code: “${text}”`);
    for (const locale of locales)
      if ((translations.get(locale) ?? []).every((form) => form === ''))
        faults.push(`not translated (${locale}): “${text}”`);
  }
  const hub = await Hub.create('cli', config, root, 0, readOnly);
  const { errors, syncs } = await hub.check(true);
  for (const { type, locale, source, translation } of errors) {
    const forms = pluralRules?.get(locale)?.nplurals ?? 2;
    // A language has as many forms as it has, whatever English has.
    if (type === 'unequalLength' && translation.length === forms) continue;
    faults.push(
      `placeholders or forms differ (${locale}): “${source.join(' | ')}” – “${translation.join(' | ')}”`,
    );
  }
  if (syncs.length > 0) faults.push('texts of the code and of the catalogs differ: run `npm run texts`');
  return items.length;
}

/** The string literals of a script. @param {string} code */
function literals(code) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    else if (ts.isTemplateExpression(node))
      found.push(node.head.text + node.templateSpans.map(({ literal }) => `#${literal.text}`).join(''));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('code.ts', code, ts.ScriptTarget.ES2022));
  return found;
}

/** Texts of the code that the build would not take from the catalogs. */
async function checkCode() {
  const hub = await Hub.create('build', config, root, 0, readOnly);
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|svelte)$/.test(file) && !/\.gen\.ts$|^locales/.test(file))
    .map((file) => join('src', file));
  for (const file of files) {
    const source = readFileSync(file, 'utf8');
    const [{ code = source }] = await hub.transform(source, join(root, file));
    const script = file.endsWith('.svelte')
      ? compile(code, { generate: 'client', runes: true, filename: file, warningFilter: () => false }).js.code
      : code;
    for (const text of literals(script).flatMap(remaining))
      faults.push(`not taken from the catalogs (${file}): “${text}”`);
  }
}

// The code imports what this writes.
await Hub.create('build', config, root);
const count = await checkCatalogs();
await checkCode();
if (faults.length > 0) {
  console.error(faults.map((fault) => `- ${fault}`).join('\n'));
  console.error(`${faults.length} faults of texts and translations; docs/languages.md tells what to do.`);
  process.exit(1);
}
console.log(`${count} texts, each in every language.`);
