/** What the address of the page Alerts says: which are shown, and which one is open. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';

export const SHOWN = ['active', 'firing', 'pending', 'silenced', 'rules'] as const;
/** `active`: whatever fires, pends or is silenced. */
export type Shown = (typeof SHOWN)[number];

export interface AlertsPlace {
  show: Shown;
  q: string;
  /** The name of the alert that is open. */
  alert: string | null;
  /** The time that charts show. */
  range: ChartRange;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

export const ALERTS: PageAddress<AlertsPlace> = {
  path: '/alerts',
  empty: { show: 'active', q: '', alert: null, range: LAST_HOUR },
  parameters: { show: SHOWN, q: null, alert: NAME, from: null, to: null },
  read: (parameters) => {
    const alert = parameters.get('alert') ?? '';
    return {
      show: SHOWN.find((each) => each === parameters.get('show')) ?? 'active',
      q: parameters.get('q') ?? '',
      alert: NAME.test(alert) ? alert : null,
      range: readChartRange(parameters),
    };
  },
  write({ show, q, alert, range }, parameters) {
    if (show !== 'active') parameters.set('show', show);
    if (q !== '') parameters.set('q', q);
    if (alert !== null) parameters.set('alert', alert);
    writeChartRange(parameters, range);
  },
};
