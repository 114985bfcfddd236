/** Which critical alerts are new since the last look. Pure. */

import { WATCHDOG, stateOf } from './alerts';
import type { AlertsView, AlertView } from './contract.gen';

/** The same alert has the same labels, however often it is told. */
const keyOf = ({ name, labels }: AlertView): string =>
  JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

export class NewCriticalAlerts {
  /** `null` before the first look: what fires when a page is opened is in sight, and no news. */
  #known: ReadonlySet<string> | null = null;

  /** Takes a look; returns the names of those that were not there at the last one. */
  take(alerts: AlertsView): string[] {
    // Unknown is not "none": what fired before is no news when Prometheus is back.
    if (alerts.source !== 'prometheus') return [];
    const firing = alerts.items.filter(
      (alert) => alert.severity === 'critical' && alert.name !== WATCHDOG && stateOf(alert) === 'firing',
    );
    const before = this.#known;
    this.#known = new Set(firing.map(keyOf));
    if (before === null) return [];
    return [...new Set(firing.filter((alert) => !before.has(keyOf(alert))).map(({ name }) => name))];
  }
}
