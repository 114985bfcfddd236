/** Cameras that stand together: by their group, or by what their names begin with. Pure. */

import type { Sectioning } from './place';

export interface Section {
  /** `null`: those that belong to none. */
  title: string | null;
  ids: readonly string[];
}

/** What a name has before its first `-` or `_`; `null` where there is neither, or nothing before it. */
export function prefixOf(name: string): string | null {
  const end = name.search(/[-_]/);
  return end > 0 ? name.slice(0, end) : null;
}

const byTitle = new Intl.Collator('en', { numeric: true }).compare;

/** In the order of the titles, those without one last; within each in the order in which they came. */
export function sectionsOf(
  ids: readonly string[],
  by: Sectioning | null,
  groupOf: (id: string) => string | null,
): Section[] {
  if (by === null) return [{ title: null, ids }];
  const found = new Map<string | null, string[]>();
  for (const id of ids) {
    const title = by === 'group' ? groupOf(id) : prefixOf(id);
    const section = found.get(title);
    if (section === undefined) found.set(title, [id]);
    else section.push(id);
  }
  return [...found]
    .map(([title, members]) => ({ title, ids: members }))
    .sort((a, b) => (a.title === null ? 1 : b.title === null ? -1 : byTitle(a.title, b.title)));
}
