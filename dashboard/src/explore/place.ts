/** What the explorer's address says: an expression, a range and a view. A link shows a colleague the same. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';

export interface ExplorePlace {
  /** A PromQL expression; '' before one was run. */
  expr: string;
  range: ChartRange;
  /** The values over the range, or those at its end. */
  view: 'chart' | 'values';
}

/** The gateway takes no longer expression. */
const LONGEST = 16_384;

export const EXPLORE: PageAddress<ExplorePlace> = {
  path: '/explore',
  empty: { expr: '', range: LAST_HOUR, view: 'chart' },
  parameters: { expr: null, view: ['chart', 'values'], from: null, to: null },
  read: (parameters) => ({
    expr: (parameters.get('expr') ?? '').slice(0, LONGEST),
    range: readChartRange(parameters),
    view: parameters.get('view') === 'values' ? 'values' : 'chart',
  }),
  write({ expr, range, view }, parameters) {
    if (expr !== '') parameters.set('expr', expr);
    writeChartRange(parameters, range);
    if (view !== 'chart') parameters.set('view', view);
  },
};
