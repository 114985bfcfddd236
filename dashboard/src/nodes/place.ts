/** What the address of the page Nodes says: by what the tables are sorted, and the charts' time. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';

export interface NodesPlace {
  /** A column's name, with `-` before it from the largest down; '' by name. */
  workers: string;
  producers: string;
  range: ChartRange;
}

const COLUMN = /^-?[a-z_0-9]{1,20}$/;
const column = (text: string | null): string => (text !== null && COLUMN.test(text) ? text : '');

export const NODES: PageAddress<NodesPlace> = {
  path: '/nodes',
  empty: { workers: '', producers: '', range: LAST_HOUR },
  parameters: { workers: COLUMN, producers: COLUMN, from: null, to: null },
  read: (parameters) => ({
    workers: column(parameters.get('workers')),
    producers: column(parameters.get('producers')),
    range: readChartRange(parameters),
  }),
  write({ workers, producers, range }, parameters) {
    if (workers !== '') parameters.set('workers', workers);
    if (producers !== '') parameters.set('producers', producers);
    writeChartRange(parameters, range);
  },
};
