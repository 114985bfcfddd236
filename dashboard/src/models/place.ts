/** What the models page's address says: the time that the remote lane's charts show. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';

export interface ModelsPlace {
  range: ChartRange;
}

export const MODELS: PageAddress<ModelsPlace> = {
  path: '/models',
  empty: { range: LAST_HOUR },
  parameters: { from: null, to: null },
  read: (parameters) => ({ range: readChartRange(parameters) }),
  write: ({ range }, parameters) => writeChartRange(parameters, range),
};
