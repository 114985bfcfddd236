/** Expressions that were run in this browser, newest first. Pure, but for the browser's storage. */

const KEY = 'framefleet.queries';
const MOST = 30;
/** What is longer is no expression that somebody looks for again. */
const LONGEST = 2_000;

export function readPast(json: string | null): string[] {
  try {
    const list: unknown = JSON.parse(json ?? '');
    if (!Array.isArray(list)) return [];
    return list
      .filter((each): each is string => typeof each === 'string' && each !== '' && each.length <= LONGEST)
      .slice(0, MOST);
  } catch {
    return [];
  }
}

/** With `expr` first, and once. */
export function added(past: readonly string[], expr: string): string[] {
  const text = expr.trim();
  if (text === '' || text.length > LONGEST) return [...past];
  return [text, ...past.filter((each) => each !== text)].slice(0, MOST);
}

export function recallPast(): string[] {
  try {
    return readPast(localStorage.getItem(KEY));
  } catch {
    return [];
  }
}

export function rememberPast(past: readonly string[]): void {
  try {
    if (past.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(past));
  } catch {
    // Storage is switched off, or full: the list lasts as long as the page.
  }
}
