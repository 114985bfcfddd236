/**
 * Writes src/lib/contract.gen.ts: types (by openapi-typescript) and readers of what the gateway and this page say to
 * each other, out of the document that `python -m contract` prints. With `--check`, only says whether it is up to date.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import * as prettier from 'prettier';
import { asRead, nameOf, readerOf } from './readers.js';
import { MANNERS, PATTERNS, READ, VALUES, WRITTEN } from './manners.js';

/** @typedef {import('./readers.js').Schema} Schema @typedef {import('./readers.js').Schemas} Schemas */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TARGET = fileURLToPath(new URL('../src/lib/contract.gen.ts', import.meta.url));
const HEAD =
  '// Generated from contract/ by `npm run contract` (in the checkout: `make contract`). Do not edit.';

/** The names of the shapes that these are made of, themselves included. @param {Schemas} shapes @param {string[]} names */
function reachable(shapes, names) {
  const found = new Set();
  const follow = (/** @type {unknown} */ value) => {
    if (typeof value !== 'object' || value === null) return;
    if ('$ref' in value) visit(nameOf(/** @type {Schema} */ (value)));
    else Object.values(value).forEach(follow);
  };
  const visit = (/** @type {string} */ name) => {
    if (found.has(name)) return;
    found.add(name);
    follow(shapes[name]);
  };
  names.forEach(visit);
  return [...found].sort();
}

/** Pairs as tuples, which openapi-typescript knows how to write. @param {any} schema @returns {any} */
function withTuples(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(withTuples);
  if ('x-items' in schema) return { type: 'array', prefixItems: schema['x-items'], items: false };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withTuples(value)]));
}

/** @param {{ components: { schemas: Schemas } }} document */
async function generate(document) {
  /** @type {Schemas} */
  const shapes = withTuples(document.components.schemas);
  const field = (/** @type {string} */ path) => {
    const [shape = '', name = ''] = path.split('.');
    return shapes[shape]?.properties?.[name];
  };
  const read = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      shape.properties ? asRead(shape, MANNERS[name] ?? {}) : shape,
    ]),
  );
  const names = reachable(read, READ);
  const written = reachable(shapes, WRITTEN);
  const schemas = {
    ...Object.fromEntries(names.map((name) => [name, read[name]])),
    ...Object.fromEntries(written.map((name) => [name, withoutTitles(shapes[name])])),
  };
  const types = await openapiTS(/** @type {any} */ ({ ...document, components: { schemas } }), {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  const constants = [
    ...Object.entries(VALUES).map(
      ([name, path]) => `export const ${name} = ${JSON.stringify(field(path)?.enum)} as const;`,
    ),
    ...Object.entries(PATTERNS).map(
      ([name, path]) => `export const ${name} = /${(field(path)?.items || {}).pattern}/;`,
    ),
  ];
  const readers = names.map((name) => readerOf(name, read[name] ?? {}));
  const text = [HEAD, "import * as r from './values';", astToString(types), ...constants, ...readers].join(
    '\n\n',
  );
  return prettier.format(text, { ...(await prettier.resolveConfig(TARGET)), filepath: TARGET });
}

/** @param {Schema | undefined} shape @returns {Schema} */
function withoutTitles(shape = {}) {
  const { title: _, ...rest } = shape;
  return rest;
}

const printed = execFileSync(process.env['PYTHON'] ?? 'python3', ['-m', 'contract'], {
  cwd: ROOT,
  encoding: 'utf8',
});
const text = await generate(JSON.parse(printed));
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error('src/lib/contract.gen.ts is not what contract/ says: run `make contract`');
  process.exit(1);
}
