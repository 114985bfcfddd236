/** Sorting a table by one of its columns. Pure. */

export interface Column<T> {
  /** What the address calls it. */
  name: string;
  title: string;
  /** What it is sorted by; `null` goes last, whatever the order. */
  value: (row: T) => string | number | null;
  /** Numbers stand to the right, and are sorted from the largest down at first. */
  numeric?: true;
}

const collator = new Intl.Collator('en', { numeric: true });

/** The rows in the order that `sort` asks for (`fps`, `-fps`); as they are for what no column is called. */
export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], sort: string): readonly T[] {
  const column = columns.find(({ name }) => name === sort.replace(/^-/, ''));
  if (column === undefined) return rows;
  const sign = sort.startsWith('-') ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [column.value(one), column.value(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return (
      sign * (typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b)))
    );
  });
}

/** What a press on the column's heading asks for: its order, the reverse, and then that by name again. */
export function pressed<T>({ name, numeric }: Column<T>, sort: string): string {
  const [first, second] = numeric ? [`-${name}`, name] : [name, `-${name}`];
  return sort === first ? second : sort === second ? '' : first;
}

export function ariaSort(name: string, sort: string): 'ascending' | 'descending' | 'none' {
  return sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none';
}
