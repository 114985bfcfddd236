/** Queues, dead letters and their operations in words. Pure. */

import { plural } from '../lib/plural';
import type {
  DeadLetterGroupsView,
  DeadLetterGroupView,
  DeadLetterOperationView,
  NodeView,
  QueueView,
} from '../lib/contract.gen';
import { NONE, elapsed, exactly, length } from '../lib/format';
import type { Level } from '../lib/health';

const LANES: Record<string, string> = {
  live: 'Live lane',
  batch: 'Batch lane',
  gpu: 'GPU lane',
  remote: 'Remote lane',
};

/** What the queue is for, as its row is called. */
export function titled(queue: QueueView): string {
  if (queue.purpose === 'lane') return LANES[queue.lane ?? ''] ?? queue.name;
  if (queue.purpose === 'sender') return `${queue.sender}, ${queue.lane}`;
  if (queue.purpose === 'retry')
    return `Retries, ${queue.lane ?? NONE}, after ${queue.name.split('.').at(-1) ?? NONE}`;
  if (queue.purpose === 'results') return 'Results for the history';
  return queue.sender === null ? 'Dead letters' : `Dead letters of ${queue.sender}`;
}

/** The lanes and what nobody may overlook; the others wait behind a click. */
export const isShown = (queue: QueueView): boolean =>
  ['lane', 'sender'].includes(queue.purpose) || level(queue) === 'warning' || level(queue) === 'bad';

/** Why nothing at all is known of the queues; `null` where something is. */
export function nothingKnown(queues: readonly QueueView[]): string | null {
  const [first] = queues;
  return first === undefined || queues.some(({ messages }) => messages !== null) ? null : first.unknown;
}

/** A text with commands between backticks, in parts; every second one is a command. */
export const commands = (text: string): string[] => text.split('`');

const laneWorker = (lane: string | null): string => `WORKER_LANE=${lane} python -m worker`;

export function level(queue: QueueView): Level {
  if (queue.down !== null) return 'bad';
  if (queue.messages === null) return 'unknown';
  if (queue.limit !== null && queue.messages >= queue.limit / 2) return 'warning';
  const taken = queue.purpose === 'lane' || queue.purpose === 'sender' || queue.purpose === 'results';
  return taken && queue.messages > 0 && queue.consumers === 0 ? 'warning' : 'good';
}

/** The lanes whose workers are there, whether or not they take frames now. */
export const staffed = (nodes: readonly Pick<NodeView, 'lane' | 'state'>[]): ReadonlySet<string | null> =>
  new Set(nodes.filter(({ state }) => state !== 'lost' && state !== 'unknown').map(({ lane }) => lane));

/** What is the matter with the queue, and what to do; '' if nothing. */
export function remark(queue: QueueView, lanes: ReadonlySet<string | null>): string {
  if (queue.down !== null) return `${queue.unknown}. RabbitMQ said: ${queue.down}`;
  if (queue.messages === null) return `State unknown: ${queue.unknown}.`;
  if (level(queue) === 'good') return '';
  if (queue.consumers === 0 && queue.purpose === 'results')
    return 'No consumer takes results, so the history does not grow. The gateway’s log says why.';
  if (queue.consumers === 0 && queue.purpose === 'lane' && lanes.has(queue.lane))
    return queue.lane === 'remote'
      ? 'Its workers take no frames now, so these wait. The page Models says what holds the lane.'
      : 'Its workers take no frames now, so these wait. The page Nodes says why.';
  if (queue.consumers === 0 && queue.purpose !== 'dead_letters')
    return `No worker takes these frames, so they wait. To start one: ${laneWorker(queue.lane)}`;
  if (queue.purpose === 'dead_letters')
    return 'More than half full. A full queue drops its oldest messages: replay or purge some.';
  return 'More than half full. A full queue refuses senders: start more workers, or send less.';
}

export const oldest = ({ oldest: seconds, oldest_at_least }: QueueView): string => {
  if (seconds === null) return NONE;
  const told = seconds < 1 ? '<1 s' : length(seconds);
  return oldest_at_least ? `> ${told}` : told;
};

/** `3 of 5,000`. */
export const waiting = ({ messages, limit }: QueueView): string =>
  messages === null ? NONE : limit === null ? exactly(messages) : `${exactly(messages)} of ${exactly(limit)}`;

/** Reasons, the most frequent first, with how many there are. */
export function reasons(groups: readonly DeadLetterGroupView[]): [string, number][] {
  const found = new Map<string, number>();
  for (const group of groups) found.set(group.reason, (found.get(group.reason) ?? 0) + group.count);
  return [...found].sort(([, one], [, other]) => other - one);
}

/** Where the group's letters came from: `gate-3, from frame_queue, sent by school`. */
export function whence({ camera_id, origin, sender }: DeadLetterGroupView): string {
  const parts = [camera_id ?? 'unknown camera'];
  if (origin !== null) parts.push(`from ${origin}`);
  if (sender !== null) parts.push(`sent by ${sender}`);
  return parts.join(', ');
}

/** When they died: `9 min ago`, `between 4 h and 9 min ago`. */
export function span(first: number | null, last: number | null, now: number): string {
  if (first === null || last === null) return 'time unknown';
  const [one, other] = [elapsed(now - first), elapsed(now - last)];
  return one === other ? `${other} ago` : `between ${one} and ${other} ago`;
}

/** How far the look reaches; '' if all has been seen. */
export function lookRemark(view: DeadLetterGroupsView, now: number): string {
  const remarks = [];
  if (view.looked < view.total)
    remarks.push(
      `${exactly(view.looked)} of ${exactly(view.total)} were examined, at most ${exactly(view.most)} per queue`,
    );
  else if (!view.complete) remarks.push(`state of ${elapsed(now - view.time)} ago`);
  if (view.left_out > 0)
    remarks.push(plural(view.left_out, ['# smaller group is not listed', '# smaller groups are not listed']));
  return remarks.join('; ');
}

/** What is asked for: the query of `POST /api/dlq/operations`. */
export interface Meant {
  kind: 'replay' | 'purge';
  group?: string;
  id?: string;
  reason?: string;
  all?: boolean;
}

export interface ReplayChoice {
  /** '': where they belong. */
  lane: string;
  fresh: boolean;
}

export function proposal(meant: Meant, choice: ReplayChoice): string {
  const query = new URLSearchParams({ kind: meant.kind });
  if (meant.group !== undefined) query.set('group', meant.group);
  if (meant.id !== undefined) query.set('id', meant.id);
  if (meant.reason !== undefined) query.set('reason', meant.reason);
  if (meant.all) query.set('all', 'true');
  if (meant.kind === 'replay' && choice.lane !== '') query.set('lane', choice.lane);
  if (meant.kind === 'replay' && choice.fresh) query.set('fresh', 'true');
  return `/api/dlq/operations?${query.toString()}`;
}

// @wc-include
const ENDS = { stopped: 'stopped', failed: 'failed', interrupted: 'interrupted' };

/** How an operation ended, or how far it is. */
export function outcome(operation: DeadLetterOperationView): string {
  const { state, kind, done, count: all, gone, trouble, died_again } = operation;
  const [did, planned] = [exactly(done), exactly(all)];
  const whole = state === 'done' && done === all;
  const parts = [
    kind === 'replay'
      ? whole
        ? `${did} replayed`
        : `${did} of ${planned} replayed`
      : whole
        ? `${did} purged`
        : `${did} of ${planned} purged`,
  ];
  if (gone > 0) parts.push(plural(gone, ['# was already gone', '# were already gone']));
  if (state === 'stopped' || state === 'failed' || state === 'interrupted') parts.push(ENDS[state]);
  if (trouble !== '') parts.push(trouble);
  if (died_again !== null && died_again > 0)
    parts.push(
      plural(died_again, [
        '# frame failed again and is a dead letter',
        '# frames failed again and are dead letters',
      ]),
    );
  return parts.join('; ');
}

export function outcomeLevel({ state, died_again, trouble }: DeadLetterOperationView): Level {
  if (state === 'failed') return 'bad';
  if (state === 'interrupted' || state === 'stopped' || (died_again ?? 0) > 0) return 'warning';
  if (state === 'running') return trouble === '' ? 'unknown' : 'warning';
  return 'good';
}
