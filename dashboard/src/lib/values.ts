/** Readers of single values, which contract.gen.ts puts together: `null` for what is not of the kind, never an error. */

export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON writes no infinity, but 1e999 is read as one. */
export const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

export const positive = (value: unknown): number | null => {
  const read = number(value);
  return read !== null && read > 0 ? read : null;
};

export const string = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** A string that says something. */
export const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

export const boolean = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

export function one<const T>(value: unknown, known: readonly T[]): T | null {
  for (const each of known) if (each === value) return each;
  return null;
}

/** A list's good items. */
export function list<T>(value: unknown, read: (item: unknown) => T | null): T[] | null {
  if (!Array.isArray(value)) return null;
  const items: T[] = [];
  for (const each of value) {
    const item = read(each);
    if (item !== null) items.push(item);
  }
  return items;
}

/** An object's good entries, whatever their names. */
export function record<T>(value: unknown, read: (item: unknown) => T | null): Record<string, T> | null {
  if (!isFields(value)) return null;
  const entries: [string, T][] = [];
  for (const [name, each] of Object.entries(value)) {
    const item = read(each);
    if (item !== null) entries.push([name, item]);
  }
  return Object.fromEntries(entries);
}

/** Two numbers. */
export function pair(value: unknown): [number, number] | null {
  const read = point(value);
  return read === null || read[1] === null ? null : [read[0], read[1]];
}

/** A time, and a value or `null`. */
export function point(value: unknown): [number, number | null] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const time = number(value[0]);
  return time === null ? null : [time, number(value[1])];
}
