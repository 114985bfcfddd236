/** What the address of the page Nodes says: by what the tables are sorted. Pure. */

import type { PageAddress } from '../lib/address';

export interface NodesPlace {
  /** A column's name, with `-` before it from the largest down; '' by name. */
  workers: string;
  producers: string;
}

const COLUMN = /^-?[a-z_0-9]{1,20}$/;
const column = (text: string | null): string => (text !== null && COLUMN.test(text) ? text : '');

export const NODES: PageAddress<NodesPlace> = {
  path: '/nodes',
  empty: { workers: '', producers: '' },
  parameters: { workers: COLUMN, producers: COLUMN },
  read: (parameters) => ({
    workers: column(parameters.get('workers')),
    producers: column(parameters.get('producers')),
  }),
  write({ workers, producers }, parameters) {
    if (workers !== '') parameters.set('workers', workers);
    if (producers !== '') parameters.set('producers', producers);
  },
};
