/** The files that this page sends, for whichever jobs: three at a time, whatever page of the dashboard is shown. */

import { type Method, type Reader, reasonOf } from '../lib/api';
import {
  type JobUploadsView,
  type JobView,
  type UploadView,
  readJobUploadsView,
  readJobView,
} from '../lib/contract.gen';
import type { Chosen } from './dropped';
import { nameFor, takesFiles } from './jobs';
import { Resume, printOf } from './resume';
import { type Sending, type Transport, tus } from './transport';

/** Uploads at a time. */
const AT_ONCE = 3;
/** Uploads that the gateway lists at a time. */
const PAGE = 2_000;

/** The part of the App that these need. */
export interface Asks {
  ask<T>(path: string, read: Reader<T>, signal: AbortSignal): Promise<T>;
  change<T>(
    method: Method,
    path: string,
    read: Reader<T>,
    then: (value: T) => void,
    body?: object,
  ): Promise<string | null>;
}

/** How a new job looks at its inputs: the body of POST /api/jobs. */
export interface JobOptions {
  name: string;
  every: number;
  windows: 'fixed' | 'scene';
  skip: boolean;
}

export type UploadState = 'waiting' | 'sending' | 'whole' | 'failed' | 'cancelled';

/** Files by state; `bytes` of those that were not refused, and how many of them have come. */
export type Counts = Record<UploadState | 'bytes' | 'sent', number>;

export class FileUpload {
  state = $state<UploadState>('waiting');
  /** Bytes that have come. */
  sent = $state(0);
  reason = $state('');
  /** The gateway does not take this file at all. */
  final = $state(false);
  sending: Sending | null = null;
  /** The upload that the gateway knows of it, if it does. */
  upload: string | null = null;

  constructor(
    readonly key: number,
    readonly job: string,
    readonly file: File,
    readonly path: string,
  ) {}

  /** Goes by what its job has already: all of it, a part, or nothing. */
  begin(there: ReadonlyMap<string, UploadView>): void {
    const known = there.get(placeOf(this.path, this.file));
    this.upload = known?.state === 'receiving' ? known.upload_id : null;
    this.state = known?.state === 'complete' ? 'whole' : 'waiting';
  }
}

export class Uploads {
  files = $state.raw<readonly FileUpload[]>([]);
  /** Why files were not taken, or a job was not told that no more come. */
  refusal = $state<string | null>(null);
  /** A job whose files were known already: these went on. */
  resumed = $state<number>(0);
  #keys = 0;

  constructor(
    private readonly asks: Asks,
    private readonly resume: Resume = new Resume(() => localStorage),
    private readonly transport: Transport = tus,
  ) {}

  // No $derived here: it would end with the page that made this object first.
  get counts(): Counts {
    const counts: Counts = { waiting: 0, sending: 0, whole: 0, failed: 0, cancelled: 0, bytes: 0, sent: 0 };
    for (const { state, sent, file } of this.files) {
      counts[state] += 1;
      if (state === 'cancelled' || state === 'failed') continue;
      counts.bytes += file.size;
      counts.sent += state === 'whole' ? file.size : sent;
    }
    return counts;
  }

  /** True while leaving the page would interrupt something. */
  get busy(): boolean {
    return this.files.some(({ state }) => state === 'waiting' || state === 'sending');
  }

  /**
   * Sends files to a job, or where `job` is `null` to the one that they began in, or to a new one. Returns the job's id;
   * `null`, and `refusal`, if there is none.
   */
  async add(chosen: readonly Chosen[], job: string | null, options: JobOptions): Promise<string | null> {
    this.refusal = null;
    if (chosen.length === 0) return null;
    const prints = chosen.map(({ path, file }) => printOf(path, file));
    const known = job ?? this.resume.jobOf(prints);
    let view = known === null ? null : await this.#read(known);
    if (view !== null && !takesFiles(view)) {
      if (job !== null) {
        this.refusal = 'the job takes no more files: drop them on the page Jobs for a new one';
        return null;
      }
      view = null;
    }
    if (known !== null && view === null) {
      this.resume.forget(known);
      if (job !== null) {
        this.refusal ??= 'the job is not there any more';
        return null;
      }
    }
    const there = view === null ? new Map<string, UploadView>() : await this.#there(view.job_id);
    if (there === null) return null;
    view ??= await this.#create(chosen, options);
    if (view === null) return null;
    this.#begin(view.job_id, chosen, there);
    return view.job_id;
  }

  /** Takes a file out; what has come of it is thrown away. */
  cancel(upload: FileUpload): void {
    if (upload.state !== 'waiting' && upload.state !== 'sending') return;
    upload.sending?.stop(true);
    upload.sending = null;
    upload.state = 'cancelled';
    this.#next(upload.job);
  }

  cancelAll(): void {
    // What waits first: else the end of each that is sent would begin another.
    const order = [...this.files].sort(
      (a, b) => Number(b.state === 'waiting') - Number(a.state === 'waiting'),
    );
    for (const upload of order) {
      if (upload.state !== 'waiting' && upload.state !== 'sending') continue;
      upload.sending?.stop(true);
      upload.sending = null;
      upload.state = 'cancelled';
    }
    for (const job of new Set(order.map((upload) => upload.job))) this.#next(job);
  }

  /** Sends again what failed, but for what the gateway does not take. */
  async again(): Promise<void> {
    const failed = this.files.filter(({ state, final }) => state === 'failed' && !final);
    for (const job of new Set(failed.map((upload) => upload.job))) {
      const there = (await this.#there(job)) ?? new Map<string, UploadView>();
      for (const upload of failed.filter((each) => each.job === job)) upload.begin(there);
      // All that failed may be there by now: then nothing is to be sent, and the job is complete.
      this.#next(job);
    }
  }

  /** Forgets what is over. */
  clear(): void {
    this.files = this.files.filter(({ state }) => state === 'waiting' || state === 'sending');
    this.refusal = null;
    this.resumed = 0;
  }

  #begin(job: string, chosen: readonly Chosen[], there: ReadonlyMap<string, UploadView>): void {
    const known = new Set(
      this.files.filter((each) => each.job === job && each.state !== 'failed').map((each) => each.path),
    );
    const added = chosen
      .filter(({ path }) => !known.has(path))
      .map(({ file, path }) => {
        const upload = new FileUpload((this.#keys += 1), job, file, path);
        upload.begin(there);
        if (this.resume.isWhole(job, printOf(path, file))) upload.state = 'whole';
        return upload;
      });
    const resumed = added.filter(({ state, upload }) => state === 'whole' || upload !== null).length;
    this.resume.note(
      job,
      added.filter(({ state }) => state === 'waiting').map(({ path, file }) => printOf(path, file)),
      false,
    );
    this.resumed = resumed;
    this.files = [...this.files, ...added];
    this.#next(job);
  }

  #next(job: string | null): void {
    let free = AT_ONCE - this.files.filter(({ state }) => state === 'sending').length;
    for (const upload of this.files) {
      if (free <= 0) break;
      if (upload.state !== 'waiting') continue;
      free -= 1;
      this.#send(upload);
    }
    if (job !== null) void this.#complete(job);
  }

  #send(upload: FileUpload): void {
    upload.state = 'sending';
    upload.reason = '';
    const over = (state: UploadState) => {
      if (upload.state !== 'sending') return;
      upload.state = state;
      upload.sending = null;
      this.#next(upload.job);
    };
    upload.sending = this.transport(upload, {
      progress: (sent) => (upload.sent = sent),
      done: () => {
        this.resume.note(upload.job, [printOf(upload.path, upload.file)], true);
        over('whole');
      },
      failed: (reason, final) => {
        upload.reason = reason;
        upload.final = final;
        over('failed');
      },
    });
  }

  /** Says that no more files come, once all have and none is to be tried again. */
  async #complete(job: string): Promise<void> {
    const files = this.files.filter((upload) => upload.job === job);
    const over = files.every(
      ({ state, final }) => state === 'whole' || state === 'cancelled' || (state === 'failed' && final),
    );
    if (!over || !files.some(({ state }) => state === 'whole')) return;
    const reason = await this.asks.change('POST', `${pathOf(job)}/complete`, anything, () => undefined);
    if (reason === null) this.resume.forget(job);
    else this.refusal = reason;
  }

  async #read(job: string): Promise<JobView | null> {
    try {
      return await this.asks.ask(pathOf(job), readJobView, new AbortController().signal);
    } catch (failure) {
      this.refusal = reasonOf(failure);
      return null;
    }
  }

  /** What the job has of files already, whichever browser sent them; `null`, and `refusal`, if that is not known. */
  async #there(job: string): Promise<Map<string, UploadView> | null> {
    const found = new Map<string, UploadView>();
    let cursor: string | null = '';
    try {
      while (cursor !== null) {
        const path: string = `${pathOf(job)}/uploads?limit=${PAGE}&cursor=${cursor}`;
        const page: JobUploadsView = await this.asks.ask(
          path,
          readJobUploadsView,
          new AbortController().signal,
        );
        for (const upload of page.uploads) found.set(placeOf(upload.name, upload), upload);
        cursor = page.next;
      }
      return found;
    } catch (failure) {
      this.refusal = reasonOf(failure);
      return null;
    }
  }

  async #create(chosen: readonly Chosen[], options: JobOptions): Promise<JobView | null> {
    let made: JobView | null = null;
    const name = options.name.trim() || nameFor(chosen.map(({ path }) => path)).slice(0, 100);
    const reason = await this.asks.change('POST', '/api/jobs', readJobView, (view) => (made = view), {
      ...options,
      name,
      lane: 'batch',
    });
    this.refusal = reason;
    return made;
  }
}

export const pathOf = (job: string): string => `/api/jobs/${encodeURIComponent(job)}`;

/** Whatever is answered to a deed: the next question tells what has become of the job. */
export const anything = (): true => true;

/** The same file has the same, chosen here or sent from elsewhere. */
const placeOf = (path: string, { size }: Pick<File, 'size'>): string => `${size} ${path}`;

const ofApps = new WeakMap<object, Uploads>();

/** One for all pages: uploads go on while another page of the dashboard is shown. */
export function uploadsOf(app: Asks): Uploads {
  const found = ofApps.get(app) ?? new Uploads(app);
  ofApps.set(app, found);
  return found;
}
