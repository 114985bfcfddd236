/**
 * Readers from JSON Schemas: straight code, one function for each shape, as fast as if it were written by hand. The
 * small readers of single values that they call are in src/lib/values.ts.
 *
 * @typedef {import('./manners.js').Manner} Manner
 * @typedef {Record<string, Schema>} Schemas
 *
 * What of JSON Schema the contract uses.
 * @typedef {object} Schema
 * @property {string} [type]
 * @property {string} [title]
 * @property {string} [pattern]
 * @property {string} [$ref]
 * @property {unknown} [default]
 * @property {unknown} [const]
 * @property {unknown[]} [enum]
 * @property {Schema[]} [anyOf]
 * @property {Schemas} [properties]
 * @property {string[]} [required]
 * @property {Schema | false} [items]
 * @property {Schema[]} [prefixItems]
 * @property {Schema} [additionalProperties]
 * @property {number} [exclusiveMinimum]
 * @property {boolean} [tolerant] Ours: how `asRead` has made it.
 */

const NULL = { type: 'null' };

/** @param {Schema} schema */
const isNullable = (schema) => schema.anyOf?.some(({ type }) => type === 'null') === true;

/** The schema without `null`. @param {Schema} schema @returns {Schema} */
function solid(schema) {
  if (!isNullable(schema)) return schema;
  const kinds = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return kinds.length === 1 ? { ...schema, anyOf: undefined, ...kinds[0] } : { ...schema, anyOf: kinds };
}

/** @param {Schema} schema */
export const nameOf = (schema) => String(schema.$ref).replace(/^.*\//, '');

/**
 * The shape as it is after reading: every field is there, and those that it can do without may be `null`.
 *
 * @param {Schema} shape
 * @param {Manner} manner
 * @returns {Schema}
 */
export function asRead(shape, manner) {
  const { needs, otherwise = {}, positive = [], unread = [] } = manner;
  const given = shape.properties ?? {};
  for (const field of [...(needs ?? []), ...Object.keys(otherwise), ...positive, ...unread]) {
    if (!(field in given)) throw new Error(`${shape.title} has no field ${field}`);
  }
  /** @type {Schemas} */
  const properties = {};
  for (const [field, described] of Object.entries(given)) {
    if (unread.includes(field)) continue;
    const { title: _, default: usual, ...schema } = described;
    const substitute = otherwise[field] ?? usual ?? undefined;
    const bounded = positive.includes(field) ? { ...solid(schema), exclusiveMinimum: 0 } : solid(schema);
    const needed = needs === undefined ? !isNullable(schema) : needs.includes(field);
    if (substitute !== undefined) properties[field] = { ...bounded, default: substitute };
    else if (needed || bounded.type === 'array') properties[field] = bounded;
    else properties[field] = { anyOf: [bounded, NULL] };
  }
  const { title: _, ...rest } = shape;
  return { ...rest, properties, required: Object.keys(properties), tolerant: needs !== undefined };
}

/**
 * An expression that reads `value`; it is `null` where the value is not of the schema.
 *
 * @param {Schema} schema @param {string} value @param {boolean} tolerant
 * @returns {string}
 */
function expression(schema, value, tolerant) {
  if (schema.$ref !== undefined) return `read${nameOf(schema)}(${value})`;
  if (schema.const !== undefined) return `r.one(${value}, [${JSON.stringify(schema.const)}])`;
  if (schema.enum !== undefined) return `r.one(${value}, ${JSON.stringify(schema.enum)})`;
  if (schema.prefixItems !== undefined)
    return `r.${schema.prefixItems.every(({ type }) => typeof type === 'string') ? 'pair' : 'point'}(${value})`;
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `r.${schema.exclusiveMinimum === 0 ? 'positive' : 'number'}(${value})`;
    case 'string':
      return `r.${tolerant ? 'text' : 'string'}(${value})`;
    case 'boolean':
      return `r.boolean(${value})`;
    case 'array':
      return `r.list(${value}, ${reader(schema.items || {}, tolerant)})${tolerant ? ' ?? []' : ''}`;
    case 'object':
      return `r.record(${value}, ${reader(schema.additionalProperties ?? {}, tolerant)})`;
    default:
      throw new Error(`no reader for ${JSON.stringify(schema)}`);
  }
}

/** @param {Schema} schema @param {boolean} tolerant */
function reader(schema, tolerant) {
  const call = expression(schema, 'item', tolerant);
  return /^([\w.]+)\(item\)$/.exec(call)?.[1] ?? `(item: unknown) => ${call}`;
}

/**
 * The reader of a shape that `asRead` has made.
 *
 * @param {string} name @param {Schema} shape
 */
export function readerOf(name, shape) {
  /** @type {string[]} */
  const sure = [];
  const fields = Object.entries(shape.properties ?? {}).map(([field, schema]) => {
    const read = expression(solid(schema), `value['${field}']`, shape.tolerant === true);
    if (isNullable(schema) || read.endsWith('?? []')) return `${field}: ${read}`;
    if (schema.default !== undefined) return `${field}: ${read} ?? ${JSON.stringify(schema.default)}`;
    sure.push(`const ${field} = ${read};`, `if (${field} === null) return null;`);
    return field;
  });
  return `export function read${name}(value: unknown): ${name} | null {
    if (!r.isFields(value)) return null;
    ${sure.join('\n')}
    return { ${fields.join(', ')} };
  }`;
}
