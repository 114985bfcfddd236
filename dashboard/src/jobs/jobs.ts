/** Jobs and their items in words: how far they are, and what can be done with them. Pure. */

import { plural } from '../lib/plural';
import type { ClientJobView, JobItemView, JobView } from '../lib/contract.gen';
import { NONE, digits, duration, exactly, figure, length, percent, plain } from '../lib/format';
import type { Level } from '../lib/health';
import type { ItemKind, ItemState, JobState } from './place';
import { itemFailureWords } from './reasons';

// @wc-include
export const STATE_WORDS: Record<JobState, string> = {
  uploading: 'uploading',
  running: 'running',
  paused: 'paused',
  done: 'done',
  cancelled: 'cancelled',
  failed: 'failed',
  lost: 'lost',
};

// @wc-include
export const ITEM_STATE_WORDS: Record<ItemState, string> = {
  waiting: 'waiting',
  sent: 'being computed',
  ok: 'done',
  failed: 'failed',
};

/** Of jobs that are no gateway's, what is heard of them. */
// @wc-include
export const CLIENT_STATE_WORDS: Record<ClientJobView['state'], string> = {
  running: 'running',
  stalled: 'stalled',
  lost: 'silent',
  done: 'done',
  interrupted: 'interrupted',
};

export const KIND_WORDS: Record<ItemKind, string> = { picture: 'Pictures', video: 'Videos' };

export function levelOf({ state, failed }: Pick<JobView, 'state' | 'failed'>): Level {
  if (state === 'failed' || state === 'lost') return 'bad';
  if (state === 'paused' || (state === 'done' && failed > 0)) return 'warning';
  return state === 'done' ? 'good' : 'unknown';
}

export function clientLevel({ state, failed }: Pick<ClientJobView, 'state' | 'failed'>): Level {
  if (state === 'lost') return 'bad';
  if (state === 'stalled' || state === 'interrupted' || (state === 'done' && failed > 0)) return 'warning';
  return state === 'done' ? 'good' : 'unknown';
}

/** `3 not an image, 1 empty`: why items failed, the most frequent reason first. */
export const failuresWords = ({ failures }: Pick<ClientJobView, 'failures'>): string =>
  failures.map(({ reason, count }) => `${exactly(count)} ${itemFailureWords(reason)}`).join(', ');

/** True while something is still to come of it. */
export const isOpen = ({ state }: Pick<JobView, 'state'>): boolean =>
  state === 'uploading' || state === 'running' || state === 'paused';

/** True while files may be added to it. */
export const takesFiles = (job: Pick<JobView, 'state' | 'complete'>): boolean => isOpen(job) && !job.complete;

export const settled = ({ ok, failed }: Pick<JobView, 'ok' | 'failed'>): number => ok + failed;

export const remaining = (job: Pick<JobView, 'items' | 'ok' | 'failed'>): number =>
  Math.max(0, job.items - settled(job));

/** Shares of the items, 0 to 1; of a job without items none. */
export function progress(job: Pick<JobView, 'items' | 'ok' | 'failed'>): { ok: number; failed: number } {
  const whole = Math.max(job.items, settled(job));
  return whole === 0 ? { ok: 0, failed: 0 } : { ok: job.ok / whole, failed: job.failed / whole };
}

/** `120 of 300 items`. */
export const progressWords = (job: Pick<JobView, 'items' | 'ok' | 'failed'>): string =>
  `${exactly(settled(job))} of ${plural(job.items, ['# item', '# items'])}`;

export const rateWords = ({ rate, state }: { rate: number; state: string }): string =>
  state === 'running' || state === 'uploading' ? `${digits(rate)}/s` : NONE;

/** How long it still takes; while files come, of those that are there. */
export const etaWords = (job: { eta_seconds: number | null; state: string }): string =>
  job.state === 'running' || job.state === 'uploading' ? length(job.eta_seconds) : NONE;

/** `3.7 MB`, `120 B`. */
export const bytesWords = (bytes: number): string =>
  bytes < 999.5 ? plain(figure(bytes, 'B', true)) : `${digits(bytes)}B`;

/** The share of a job's video pictures that needed no computing; `null` without any. */
export function sparedShare({ frames }: Pick<JobView, 'frames'>): number | null {
  return frames.decoded === 0 ? null : (frames.skipped + frames.reused) / frames.decoded;
}

export const sparedWords = (job: Pick<JobView, 'frames'>): string => {
  const share = sparedShare(job);
  return share === null ? NONE : plain(percent(share));
};

export const latencyWords = ({ latency }: Pick<JobView, 'latency'>): string =>
  [latency.p50, latency.p95, latency.p99].map((each) => plain(duration(each))).join(' · ');

export type Deed = 'pause' | 'resume' | 'complete' | 'cancel' | 'delete';

/** What an operator can do with the job now. */
export function deedsOf(job: Pick<JobView, 'state' | 'complete'>): Deed[] {
  const deeds: Deed[] = [];
  if (takesFiles(job)) deeds.push('complete');
  if (job.state === 'uploading' || job.state === 'running') deeds.push('pause');
  if (job.state === 'paused' || job.state === 'failed') deeds.push('resume');
  if (isOpen(job)) deeds.push('cancel');
  return [...deeds, 'delete'];
}

/** What a deed that cannot be undone will do, in numbers, a sentence each. */
export function consequences(deed: 'cancel' | 'delete', job: JobView): string[] {
  const left = remaining(job);
  const arriving = job.uploads.length;
  const words = [];
  if (isOpen(job) && left > 0)
    words.push(plural(left, ['# item will not be computed.', '# items will not be computed.']));
  if (isOpen(job) && arriving > 0)
    words.push(
      plural(arriving, [
        '# upload that is under way ends and is thrown away.',
        '# uploads that are under way end and are thrown away.',
      ]),
    );
  if (deed === 'cancel')
    return [...words, plural(settled(job), ['# result stays.', '# results stay, to be downloaded.'])];
  words.push(plural(settled(job), ['# result is deleted.', '# results are deleted.']));
  words.push(
    `${plural(job.files, ['# uploaded file', '# uploaded files'])} (${bytesWords(job.bytes)}): deleted here; yours stay where they are.`,
  );
  return [...words, 'This cannot be undone.'];
}

/** What was found in an item; `–` while it is not settled. */
export function foundWords({ kind, state, detections }: JobItemView): string {
  if (state !== 'ok') return NONE;
  return kind === 'video'
    ? plural(detections, ['# stretch with faces', '# stretches with faces'])
    : plural(detections, ['# face', '# faces']);
}

/** `3 pictures and 1 video`, for a job that nobody has named. */
export function nameFor(paths: readonly string[]): string {
  const [only] = paths;
  if (only !== undefined && paths.length === 1) return only;
  const folders = new Set(paths.map((path) => (path.includes('/') ? (path.split('/')[0] ?? '') : '')));
  const [folder] = folders;
  return folders.size === 1 && folder !== undefined && folder !== ''
    ? folder
    : plural(paths.length, ['# file', '# files']);
}
