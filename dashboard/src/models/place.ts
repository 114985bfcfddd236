/** The models page's address: it says nothing more. Pure. */

import type { PageAddress } from '../lib/address';

export const MODELS: PageAddress<object> = {
  path: '/models',
  empty: {},
  parameters: {},
  read: () => ({}),
  write: () => undefined,
};
