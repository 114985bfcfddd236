/** Pages' addresses, and what the address says to a page. Each page declares its own in its `place.ts`. Pure. */

import type { Parameters } from './parameters';

export interface Address {
  /** As if the gateway had its host to itself. */
  pathname: string;
  search: string;
}

export interface Step {
  /** Without a step in the history (typing, stepping through cameras). */
  replace?: boolean;
  /** This opens something over the page, which "back" closes again. */
  opens?: boolean;
}

/** One page's part of the address, as components change it and link to it. The shell's `Here` is one. */
export interface Links<Place extends object> {
  readonly place: Place;
  href(change: Partial<Place>): string;
  go(change: Partial<Place>, step?: Step): void;
  close(change: Partial<Place>): void;
  follow(change: Partial<Place>, step?: Step): (event: MouseEvent) => void;
}

/** A link within the dashboard: its address, and the `onclick` that goes there without loading the page anew. */
export interface Link {
  href: string;
  onclick: (event: MouseEvent) => void;
}

/** How one page keeps its place in the address. Other pages link to it by the same. */
export interface PageAddress<Place extends object> {
  /** `/events`, or `/cameras/{id}` where one page shows one of many. */
  path: string;
  /** The page as it is entered. */
  empty: Place;
  /** What it may say, so that whatever else it says is told (`parameters.ts`). */
  parameters: Parameters;
  /** `id` is what stands in place of `{id}`. Whatever is unknown or invalid is as if it were not there. */
  read(parameters: URLSearchParams, id: string): Place;
  write(place: Place, parameters: URLSearchParams): void;
  /** What to write in place of `{id}`. */
  id?(place: Place): string;
}

/** What stands in place of the path's `{id}`, '' if it has none; `null` if that is another page's path. */
export function match(path: string, pathname: string): string | null {
  const plain = pathname.replace(/(?<=.)\/+$/, '');
  const [before = '', after] = path.split('{id}');
  if (after === undefined) return plain === path ? '' : null;
  const found = plain.startsWith(before) && plain.endsWith(after);
  const id = found ? plain.slice(before.length, plain.length - after.length) : '';
  if (id === '' || id.includes('/')) return null;
  try {
    return decodeURIComponent(id);
  } catch {
    return null;
  }
}

/** The page's place, or its empty one where another page is shown. */
export function readPlace<Place extends object>(page: PageAddress<Place>, address: Address): Place {
  const id = match(page.path, address.pathname);
  return id === null ? page.empty : page.read(new URLSearchParams(address.search), id);
}

export function writePlace<Place extends object>(page: PageAddress<Place>, place: Place): string {
  const parameters = new URLSearchParams();
  page.write(place, parameters);
  // Colons are allowed there, and times are easier to read with them.
  const search = parameters.toString().replaceAll('%3A', ':');
  const path = page.path.replace('{id}', encodeURIComponent(page.id?.(place) ?? ''));
  return search === '' ? path : `${path}?${search}`;
}
