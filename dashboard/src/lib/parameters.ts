/** What a page's address may say after `?`, and the sentences on what it says in vain. Pure. */

/** By name: the values that are valid, what a value must look like, or `null` where any will do. */
export type Parameters = Readonly<Record<string, readonly string[] | RegExp | null>>;

/** More than this of somebody's address is not repeated. */
const MOST = 40;
const MOST_SENTENCES = 5;

const short = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);

/** One sentence for each parameter that has no effect. An empty one counts as left out. */
export function complaints(allowed: Parameters, search: string): string[] {
  const names = Object.keys(allowed);
  const found = [...new URLSearchParams(search)].flatMap(([name, value]) => {
    if (!Object.hasOwn(allowed, name)) {
      return names.length === 0
        ? `“${short(name)}” is unknown: this page takes no parameters`
        : `“${short(name)}” is unknown: this page takes ${names.join(', ')}`;
    }
    const valid = allowed[name];
    if (value === '' || valid === null || valid === undefined) return [];
    if (valid instanceof RegExp) return valid.test(value) ? [] : `“${short(value)}” is invalid as ${name}`;
    return valid.includes(value) ? [] : `“${short(value)}” is invalid as ${name}; valid: ${valid.join(', ')}`;
  });
  return [...new Set(found)].slice(0, MOST_SENTENCES);
}

/** The same without what has no effect; '' or with its `?`. */
export function effective(allowed: Parameters, search: string): string {
  const kept = [...new URLSearchParams(search)].filter(
    ([name, value]) => complaints(allowed, `?${new URLSearchParams([[name, value]])}`).length === 0,
  );
  const rest = new URLSearchParams(kept).toString().replaceAll('%3A', ':');
  return rest === '' ? '' : `?${rest}`;
}
