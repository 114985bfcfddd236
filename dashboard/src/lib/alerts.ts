/** Alerts for people: those of one rule together, so that a thousand cameras without power are one entry. Pure. */

import type { AlertView, AlertsView, PrometheusStateView } from './contract.gen';
import { clockTime } from './format';

/** `silenced`: it fires, and somebody has said that they know. */
export type AlertState = AlertView['state'] | 'silenced';

export interface AlertGroup {
  name: string;
  severity: string;
  state: AlertState;
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
  /** The cameras and workers that they are about, each once. */
  cameras: string[];
  nodes: string[];
  /** The silences that keep them from being sent. */
  silences: string[];
}

/** The first word of all our alerts' names, which tells them from others in an Alertmanager and nothing here. */
const OURS = /^Framefleet(?=[A-Z])/;
/** Always fires, so that whoever hears nothing of it knows that alerts do not get through. */
export const WATCHDOG = 'FramefleetWatchdog';

export const stateOf = ({ state, silenced_by }: AlertView): AlertState =>
  state === 'firing' && silenced_by.length > 0 ? 'silenced' : state;

/** Groups in the order in which their first alerts come, without the watchdog. */
export function gather(alerts: readonly AlertView[]): AlertGroup[] {
  const groups = new Map<string, AlertGroup>();
  for (const alert of alerts) {
    const { name, severity, runbook } = alert;
    if (name === WATCHDOG) continue;
    const state = stateOf(alert);
    const key = `${state} ${severity} ${name}`;
    let group = groups.get(key);
    if (group === undefined) {
      const none = { summaries: [], descriptions: [], cameras: [], nodes: [], silences: [] };
      group = { name, severity, state, runbook, count: 0, since: null, ...structuredClone(none) };
      groups.set(key, group);
    }
    take(group, alert);
  }
  for (const group of groups.values()) group.cameras = [...new Set(group.cameras)];
  return [...groups.values()];
}

function take(group: AlertGroup, alert: AlertView): void {
  const { summary, description, since, labels } = alert;
  const once = (list: string[], value: string | undefined) => {
    if (value && !list.includes(value)) list.push(value);
  };
  group.count += 1;
  once(group.summaries, summary);
  once(group.descriptions, description);
  once(group.nodes, labels['node_id']);
  for (const silence of alert.silenced_by) once(group.silences, silence);
  // Thousands: made unique at the end.
  if (labels['camera_id']) group.cameras.push(labels['camera_id']);
  if (since !== null && (group.since === null || since < group.since)) group.since = since;
}

/** The first sentence of a description: what tells this alert from others of its rule. */
export const gist = (description: string): string =>
  /^.*?[.!?](?=\s|$)/s.exec(description)?.[0] ?? description;

/** Whether it fires and is trouble: what is silenced is known; severity info is to be read some time. */
export const troubles = ({ state, severity }: Pick<AlertGroup, 'state' | 'severity'>): boolean =>
  state === 'firing' && severity !== 'info';

/** The gravest first: 0 critical, 1 other trouble, 2 the rest. */
export const rank = (alert: Pick<AlertGroup, 'state' | 'severity'>): 0 | 1 | 2 =>
  troubles(alert) ? (alert.severity === 'critical' ? 0 : 1) : 2;

export const plainName = (name: string): string => name.replace(OURS, '');

/** Seconds for which something pends before it is worth a glance. */
const GLANCE = 30;

/**
 * Whether it is to be seen at a glance. What pends for a moment is not: at Prometheus' start all rules on what is missing
 * do, until it has asked everybody once.
 */
export const atAGlance = ({ state, since }: Pick<AlertView, 'state' | 'since'>, now: number): boolean =>
  state !== 'pending' || since === null || now - since >= GLANCE;

/** `CameraDown`, or `CameraDown × 333`. */
export const titled = ({ name, count }: Pick<AlertGroup, 'name' | 'count'>): string =>
  count === 1 ? plainName(name) : `${plainName(name)} × ${count}`;

/** The name of the runbook that the gateway has; `null` if the rule names another place, or none. */
export const runbookName = (path: string): string | null =>
  /^docs\/runbooks\/([A-Za-z][A-Za-z0-9]*)\.md$/.exec(path)?.[1] ?? null;

/** True where nobody has set up a Prometheus; a gateway that does not answer says nothing about that. */
export const noPrometheus = (alerts: AlertsView | null): boolean =>
  alerts?.source === 'none' && alerts.since === null;

/**
 * Why it is unknown what fires, as a sentence; `null` while it is known. Where no Prometheus is set up nobody expects
 * alerts: the panel says so, and that is no trouble.
 */
export function alertsUnknown(
  alerts: AlertsView | null,
  prometheus: PrometheusStateView | null,
): string | null {
  if (prometheus === null) return null;
  if (prometheus.error !== null) {
    // Its own words say what to do, and are in the panel.
    const since = prometheus.since === null ? null : clockTime(prometheus.since).slice(0, 5);
    if (/let the gateway in/.test(prometheus.error))
      return since === null
        ? 'Prometheus refuses the gateway'
        : `Prometheus has refused the gateway since ${since}`;
    return since === null ? 'Prometheus does not answer' : `Prometheus has not answered since ${since}`;
  }
  if (alerts !== null && alerts.source === 'prometheus' && !alerts.evaluated)
    return 'Prometheus does not evaluate the rules';
  return null;
}

/** A rule's text without an alert: what Prometheus would fill in is named, `{{ $labels.camera_id }}` as `‹camera_id›`. */
export const untemplated = (text: string): string =>
  text
    .replace(/\{\{\s*(?:if|else|end)\b[^{}]*\}\}/g, '')
    .replace(/\{\{[^{}]*?\$(?:labels\.)?(\w+)[^{}]*\}\}/g, '‹$1›');
