/** Which alerts and rules the page lists, and in what order. Pure. */

import { type AlertGroup, WATCHDOG, gather, rank } from '../lib/alerts';
import type { AlertRuleView, AlertView } from '../lib/contract.gen';
import type { Shown } from './place';

export interface Section<T> {
  title: string;
  items: T[];
}

const SEVERITIES = ['critical', 'warning', 'info'];

/** Tells whether all words of the search are in the texts. */
export function finds(search: string, ...texts: string[]): boolean {
  const text = texts.join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Alerts by severity, the gravest first; of each what fires before what pends. */
export function chooseAlerts(alerts: readonly AlertView[], show: Shown, q: string): Section<AlertGroup>[] {
  const groups = gather(alerts)
    .filter(({ state }) => show === 'active' || state === show)
    .filter((group) =>
      finds(q, group.name, ...group.summaries, ...group.descriptions, ...group.cameras, ...group.nodes),
    )
    .sort((a, b) => rank(a) - rank(b));
  return bySeverity(groups);
}

/** Rules by severity, those that fire or pend first. The watchdog is one of them. */
export function chooseRules(rules: readonly AlertRuleView[], q: string): Section<AlertRuleView>[] {
  const order = ['firing', 'pending', 'unknown', 'inactive'];
  const calm = (rule: AlertRuleView) => (rule.name === WATCHDOG ? 3 : order.indexOf(rule.state));
  const found = rules
    .filter((rule) => finds(q, rule.name, rule.group, rule.summary, rule.description, rule.expression))
    .sort((a, b) => calm(a) - calm(b) || (a.name < b.name ? -1 : 1));
  return bySeverity(found);
}

function bySeverity<T extends { severity: string }>(items: readonly T[]): Section<T>[] {
  const others = [...new Set(items.map(({ severity }) => severity))].filter(
    (severity) => !SEVERITIES.includes(severity),
  );
  return [...SEVERITIES, ...others.sort()]
    .map((severity) => ({
      title: severity,
      items: items.filter((item) => item.severity === severity),
    }))
    .filter(({ items: chosen }) => chosen.length > 0);
}

/** How many alerts there are in each list. */
export function countAlerts(alerts: readonly AlertView[]): Record<Exclude<Shown, 'rules'>, number> {
  const counts = { active: 0, firing: 0, pending: 0, silenced: 0 };
  for (const { state, count } of gather(alerts)) {
    counts.active += count;
    counts[state] += count;
  }
  return counts;
}

/** The state of cameras that an alert's are in, where that is one; `null`: they are listed by name only. */
export function cameraState(name: string): 'offline' | 'degraded' | null {
  if (/Camera(Down|ServedByNobody)$|ManyCamerasFailing$/.test(name)) return 'offline';
  return /Camera(Defect|sBringNoResults)$/.test(name) ? 'degraded' : null;
}
