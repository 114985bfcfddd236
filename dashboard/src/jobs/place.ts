/** What the addresses of the jobs' pages say: which jobs are listed; of one job which items, and what is open. Pure. */

import type { PageAddress } from '../lib/address';

/** A job's states, those that are under way first. */
export const JOB_STATES = ['uploading', 'running', 'paused', 'done', 'cancelled', 'failed', 'lost'] as const;
export type JobState = (typeof JOB_STATES)[number];

export const ITEM_STATES = ['waiting', 'sent', 'ok', 'failed'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export const ITEM_KINDS = ['picture', 'video'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export interface JobsPlace {
  /** Only jobs in this state. */
  state: JobState | '';
  /** Where the page of the list begins; '' at the newest. */
  cursor: string;
}

export interface JobPlace {
  job: string;
  /** Only items in this state, of this kind, or that failed for this reason. */
  state: ItemState | '';
  kind: ItemKind | '';
  reason: string;
  cursor: string;
  /** The item that is open: a picture large, a video at `time` in seconds. */
  item: number | null;
  time: number | null;
}

const NUMBER = /^\d{1,12}$/;
const SECONDS = /^\d{1,7}(\.\d{1,3})?$/;

const one = <T extends string>(text: string | null, known: readonly T[]): T | '' =>
  known.find((each) => each === text) ?? '';
const short = (text: string | null): string => (text ?? '').slice(0, 200);
const number = (text: string | null, form: RegExp): number | null =>
  text !== null && form.test(text) ? Number(text) : null;

export const JOBS: PageAddress<JobsPlace> = {
  path: '/jobs',
  empty: { state: '', cursor: '' },
  parameters: { state: JOB_STATES, cursor: null },
  read: (parameters) => ({
    state: one(parameters.get('state'), JOB_STATES),
    cursor: short(parameters.get('cursor')),
  }),
  write({ state, cursor }, parameters) {
    if (state !== '') parameters.set('state', state);
    if (cursor !== '') parameters.set('cursor', cursor);
  },
};

export const JOB: PageAddress<JobPlace> = {
  path: '/jobs/{id}',
  empty: { job: '', state: '', kind: '', reason: '', cursor: '', item: null, time: null },
  parameters: {
    state: ITEM_STATES,
    kind: ITEM_KINDS,
    reason: null,
    cursor: null,
    item: NUMBER,
    time: SECONDS,
  },
  read: (parameters, id) => ({
    job: id,
    state: one(parameters.get('state'), ITEM_STATES),
    kind: one(parameters.get('kind'), ITEM_KINDS),
    reason: short(parameters.get('reason')),
    cursor: short(parameters.get('cursor')),
    item: number(parameters.get('item'), NUMBER),
    time: number(parameters.get('time'), SECONDS),
  }),
  write({ state, kind, reason, cursor, item, time }, parameters) {
    if (state !== '') parameters.set('state', state);
    if (kind !== '') parameters.set('kind', kind);
    if (reason !== '') parameters.set('reason', reason);
    if (cursor !== '') parameters.set('cursor', cursor);
    if (item !== null) parameters.set('item', String(item));
    if (item !== null && time !== null) parameters.set('time', String(Math.round(time * 1000) / 1000));
  },
  id: ({ job }) => job,
};
