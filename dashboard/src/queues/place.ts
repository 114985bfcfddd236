/** What the address of the queues' page says: which dead letters are shown, and which are open. Pure. */

import type { PageAddress } from '../lib/address';

export interface QueuesPlace {
  /** Only dead letters with this reason. */
  reason: string;
  /** The group that is open. */
  group: string | null;
  /** The dead letter that is open. */
  letter: string | null;
}

const ID = /^[0-9a-f]{12}$/;
const id = (text: string | null): string | null => (text !== null && ID.test(text) ? text : null);

export const QUEUES: PageAddress<QueuesPlace> = {
  path: '/queues',
  empty: { reason: '', group: null, letter: null },
  parameters: { reason: null, group: ID, letter: ID },
  read: (parameters) => ({
    reason: (parameters.get('reason') ?? '').slice(0, 64),
    group: id(parameters.get('group')),
    letter: id(parameters.get('letter')),
  }),
  write({ reason, group, letter }, parameters) {
    if (reason !== '') parameters.set('reason', reason);
    if (group !== null) parameters.set('group', group);
    if (group !== null && letter !== null) parameters.set('letter', letter);
  },
};
