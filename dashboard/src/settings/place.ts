/** What the address of the page Settings says: nothing; what is chosen is this browser's. Pure. */

import type { PageAddress } from '../lib/address';

export const SETTINGS: PageAddress<object> = {
  path: '/settings',
  empty: {},
  parameters: {},
  read: () => ({}),
  write: () => undefined,
};
