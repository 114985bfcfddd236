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

/** The first word of all our alerts' names, which tells them from others in an Alertmanager and nothing here. */
const OURS = /^Framefleet(?=[A-Z])/;
/** Always fires, so that whoever hears nothing of it knows that alerts do not get through. */
const WATCHDOG = 'FramefleetWatchdog';

/** Groups in the order in which their first alerts come, without the watchdog. */
export function gather(alerts: readonly AlertView[]): AlertGroup[] {
  const groups = new Map<string, AlertGroup>();
  for (const { name, severity, state, summary, description, runbook, since } of alerts) {
    if (name === WATCHDOG) continue;
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

/** Whether it fires and is trouble: severity info is to be read some time, and makes nothing degraded. */
export const troubles = ({ state, severity }: AlertGroup | AlertView): boolean =>
  state === 'firing' && severity !== 'info';

/** `CameraDown`, or `CameraDown × 333`. */
export const titled = ({ name, count }: AlertGroup): string => {
  const title = name.replace(OURS, '');
  return count === 1 ? title : `${title} × ${count}`;
};
