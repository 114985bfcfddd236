/** Alerts for people: those of one rule together, so that a thousand cameras without power are one entry. */

import type { AlertView } from './contract.gen';

export interface AlertGroup {
  name: string;
  severity: string;
  state: AlertView['state'];
  /** The summaries of all, without repetitions. */
  summaries: string[];
  /** What each is about and what to do, as far as the gateway says it, without repetitions. */
  descriptions: string[];
  /** Where there is more to read; empty if the rule does not say. */
  runbook: string;
  /** How many there are. */
  count: number;
  /** The earliest beginning. */
  since: number | null;
}

/** Groups in the order in which their first alerts come. */
export function gather(alerts: readonly AlertView[]): AlertGroup[] {
  const groups = new Map<string, AlertGroup>();
  for (const { name, severity, state, summary, description, runbook, since } of alerts) {
    const key = `${state} ${severity} ${name}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, {
        name,
        severity,
        state,
        summaries: [summary],
        descriptions: description === '' ? [] : [description],
        runbook,
        count: 1,
        since,
      });
      continue;
    }
    group.count += 1;
    if (!group.summaries.includes(summary)) group.summaries.push(summary);
    if (description !== '' && !group.descriptions.includes(description)) group.descriptions.push(description);
    if (since !== null && (group.since === null || since < group.since)) group.since = since;
  }
  return [...groups.values()];
}

/** The first sentence of a description: what tells this alert from others of its rule. */
export const gist = (description: string): string =>
  /^.*?[.!?](?=\s|$)/s.exec(description)?.[0] ?? description;

/** `CameraDown`, or `CameraDown × 333`. */
export const titled = ({ name, count }: AlertGroup): string => (count === 1 ? name : `${name} × ${count}`);
