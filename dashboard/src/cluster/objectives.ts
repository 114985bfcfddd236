/** Objectives for people: what is left of each error budget, and what is not known yet. Pure. */

import { NODE_STATE_WORDS } from '../lib/states';
import { plural } from '../lib/plural';
import type { ServiceObjectiveView, ServiceObjectivesView } from '../lib/contract.gen';
import { NONE, digits, elapsed, percent, plain, written } from '../lib/format';
import type { Level } from '../lib/health';

/** Of the budget: with less, there is little room for the next failure. */
const LITTLE = 0.25;
const DAY = 86_400;

/** A share in percent with two decimals, never rounded up: 99.999 % is not 100 %. */
export const share = (ratio: number): string => `${written(Math.floor(ratio * 10_000 + 1e-6) / 100)} %`;

const NAMES: Record<string, string> = {
  availability: 'Availability',
  canary: 'Canary',
  freshness: 'Freshness',
  paint: 'Paint',
};

export const titled = ({ name }: ServiceObjectiveView): string =>
  NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

export function level({ error_budget_remaining: left }: ServiceObjectiveView): Level {
  if (left === null) return 'unknown';
  return left <= 0 ? 'bad' : left < LITTLE ? 'warning' : 'good';
}

/** How much of the hairline is filled, 0 to 1. */
export const filled = ({ error_budget_remaining: left }: ServiceObjectiveView): number =>
  Math.min(1, Math.max(0, left ?? 0));

export const burns = ({ burn_rate }: ServiceObjectiveView): string =>
  burn_rate === null ? NONE : `${digits(burn_rate)}×`;

const young = ({ error_budget_remaining: left, known_seconds: known }: ServiceObjectiveView): boolean =>
  left === null && known < DAY;

/** What was promised and kept. */
export function remark(view: ServiceObjectiveView): string {
  const { objective, sli, known_seconds: known, window_days: days, error_budget_remaining: left } = view;
  const promised = share(objective);
  if (young(view)) return `target ${promised}; result not known yet`;
  if (left === null || sli === null) return `target ${promised}; nothing was counted`;
  const span = plural(days, ['# day', '# days']);
  const kept = share(sli);
  return known < (days - 1) * DAY
    ? `target ${promised}, result ${kept}, ${elapsed(known)} of ${span}`
    : `target ${promised}, result ${kept}, ${span}`;
}

/** Why budgets are not known; `null` if all that can be are. */
export function excuse(items: readonly ServiceObjectiveView[]): string | null {
  const known = items.filter(young).map((each) => each.known_seconds);
  if (known.length === 0) return null;
  const most = Math.max(...known);
  return most < 3600
    ? 'The remaining budgets are not known yet: one day of figures is needed, and less than an hour exists.'
    : `The remaining budgets are not known yet: one day of figures is needed, and ${elapsed(most)} exist.`;
}

/** All objectives in two words: the smallest budget, or how many are missed. */
export function gist(answer: ServiceObjectivesView | null): string {
  if (answer === null) return NONE;
  if (answer.source === 'none') return NODE_STATE_WORDS.unknown;
  const left = answer.items.flatMap(({ error_budget_remaining: each }) => (each === null ? [] : [each]));
  const missed = left.filter((each) => each <= 0).length;
  if (missed > 0) return `${missed} missed`;
  return left.length === 0 ? 'not known yet' : `${plain(percent(Math.min(...left)))} left`;
}
