/** A chart's points as rows of words, newest first. Pure. */

import { clockTime, dayAndTime } from '../format';
import { sameDay } from '../localtime';
import type { Points } from './points';
import { type Unit, valueWords } from './units';

export interface TableRow {
  time: number;
  words: string;
  values: string[];
}

/** The newest `most` rows. The day stands with the time where the points are of several. */
export function tableRows({ times, values }: Points, unit: Unit, most: number): TableRow[] {
  const several = !sameDay(times[0] ?? 0, times.at(-1) ?? 0);
  const rows: TableRow[] = [];
  for (let index = times.length - 1; index >= 0 && rows.length < most; index -= 1) {
    const time = times[index] ?? 0;
    rows.push({
      time,
      words: several ? dayAndTime(time, true) : clockTime(time),
      values: values.map((row) => valueWords(row[index], unit)),
    });
  }
  return rows;
}
