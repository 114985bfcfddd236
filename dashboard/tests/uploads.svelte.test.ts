import { beforeEach, describe, expect, it } from 'vitest';
import type { JobView, UploadView } from '../src/lib/contract.gen';
import type { Reader } from '../src/lib/api';
import { Refused } from '../src/lib/api';
import { Resume, parseBegun, printOf } from '../src/jobs/resume';
import type { Hears, Parcel } from '../src/jobs/transport';
import { reasonOf } from '../src/jobs/transport';
import { Uploads } from '../src/jobs/uploads.svelte';

const OPTIONS = { name: '', every: 0.2, windows: 'fixed', skip: true } as const;

const file = (name: string, size = 10) => ({
  file: { name, size, lastModified: 7 } as File,
  path: name,
});

const view = (job_id: string, changes: Partial<JobView> = {}): JobView =>
  ({ job_id, state: 'uploading', complete: false, uploads: [], ...changes }) as unknown as JobView;

let sent: { parcel: Parcel; hears: Hears; stopped: boolean | null }[];
let deeds: string[];
let jobs: Map<string, JobView>;
let there: Map<string, UploadView[]>;
let stored: string | null;
let made: object[];

const asks = {
  ask: <T>(path: string, _read: Reader<T>) => {
    const [of = ''] = path.replace('/api/jobs/', '').split('/uploads?');
    if (path.includes('/uploads?')) return Promise.resolve({ uploads: there.get(of) ?? [], next: null } as T);
    const found = jobs.get(path.replace('/api/jobs/', ''));
    return found === undefined
      ? Promise.reject(new Refused(404, 'there is no such job'))
      : Promise.resolve(found as T);
  },
  change: <T>(method: string, path: string, _read: Reader<T>, then: (value: T) => void, body?: object) => {
    deeds.push(`${method} ${path}`);
    if (path === '/api/jobs') {
      made.push(body ?? {});
      const job = view(`new-${made.length}`);
      jobs.set(job.job_id, job);
      then(job as T);
    }
    return Promise.resolve(null);
  },
};

/** As after a reload: what the browser has stored is all that is left. */
const begin = () =>
  new Uploads(
    asks,
    new Resume(() => ({ getItem: () => stored, setItem: (_, value) => void (stored = value) })),
    (parcel, hears) => {
      const one = { parcel, hears, stopped: null as boolean | null };
      sent.push(one);
      return { stop: (remove) => (one.stopped = remove) };
    },
  );

const paths = () => sent.map(({ parcel }) => parcel.path);
const over = (number: number) => sent[number]?.hears.done();
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe('uploads', () => {
  beforeEach(() => {
    [sent, deeds, made] = [[], [], []];
    jobs = new Map();
    there = new Map();
    stored = null;
  });

  it('make a job, go three at a time, and end by saying that no more come', async () => {
    const uploads = begin();
    expect(
      await uploads.add(
        ['a', 'b', 'c', 'd'].map((name) => file(name)),
        null,
        OPTIONS,
      ),
    ).toBe('new-1');
    expect(made).toEqual([{ ...OPTIONS, name: '4 files', lane: 'batch' }]);
    expect(paths()).toEqual(['a', 'b', 'c']);
    over(1);
    expect(paths()).toEqual(['a', 'b', 'c', 'd']);
    [0, 2].forEach(over);
    await settle();
    expect(deeds).toEqual(['POST /api/jobs']);
    expect(uploads.busy).toBe(true);
    over(3);
    await settle();
    expect(deeds).toEqual(['POST /api/jobs', 'POST /api/jobs/new-1/complete']);
    expect(uploads.counts).toMatchObject({ whole: 4, waiting: 0, sending: 0, sent: 40, bytes: 40 });
    expect(uploads.busy).toBe(false);
  });

  it('go on after a reload: what has come is not sent again, what has begun goes on, in the same job', async () => {
    const chosen = ['a', 'b', 'c', 'd'].map((name) => file(name));
    await begin().add(chosen, null, OPTIONS);
    over(0);
    there.set('new-1', [
      { upload_id: 'u-b', name: 'b', size: 10, offset: 4, state: 'receiving', note: null },
    ]);
    sent = [];
    const uploads = begin();
    expect(await uploads.add(chosen, null, OPTIONS)).toBe('new-1');
    expect(made).toHaveLength(1);
    expect(sent.map(({ parcel }) => [parcel.path, parcel.upload])).toEqual([
      ['b', 'u-b'],
      ['c', null],
      ['d', null],
    ]);
    expect(uploads.resumed).toBe(2);
  });

  it('send a job only what it has not, whichever browser sent that', async () => {
    jobs.set('old', view('old'));
    const came = { name: 'a', size: 10, offset: 10, state: 'complete', note: null } as const;
    there.set('old', [
      { ...came, upload_id: 'u-a' },
      { ...came, upload_id: 'u-b', name: 'b', size: 11 },
      { ...came, upload_id: 'u-c', name: 'c', offset: 3, state: 'receiving' },
    ]);
    const uploads = begin();
    const chosen = ['a', 'b', 'c', 'd'].map((name) => file(name));
    expect(await uploads.add(chosen, 'old', OPTIONS)).toBe('old');
    expect(sent.map(({ parcel }) => [parcel.path, parcel.upload])).toEqual([
      ['b', null], // another file of that name
      ['c', 'u-c'],
      ['d', null],
    ]);
    expect(uploads.resumed).toBe(2);
    expect(uploads.counts).toMatchObject({ whole: 1, sending: 3 });
  });

  it('begin anew where the job is gone, or takes no more', async () => {
    await begin().add([file('a')], null, OPTIONS);
    jobs.clear();
    expect(await begin().add([file('a')], null, OPTIONS)).toBe('new-2');
    jobs.set('new-2', view('new-2', { complete: true, state: 'done' }));
    const uploads = begin();
    expect(await uploads.add([file('a')], null, OPTIONS)).toBe('new-3');
    expect(uploads.refusal).toBeNull();
  });

  it('tell why a job takes no files', async () => {
    jobs.set('old', view('old', { complete: true, state: 'done' }));
    const uploads = begin();
    expect(await uploads.add([file('a')], 'old', OPTIONS)).toBeNull();
    expect(uploads.refusal).toContain('takes no more files');
    expect(sent).toEqual([]);
  });

  it('end the job though some files are none, and wait where another try may help', async () => {
    const uploads = begin();
    await uploads.add([file('a'), file('notes.txt'), file('b')], null, OPTIONS);
    over(0);
    sent[1]?.hears.failed('the file is not taken: it is text', true);
    sent[2]?.hears.failed('the gateway does not answer', false);
    await settle();
    expect(deeds).toEqual(['POST /api/jobs']);
    expect(uploads.files[1]?.reason).toContain('it is text');
    await uploads.again();
    expect(paths()).toEqual(['a', 'notes.txt', 'b', 'b']);
    over(3);
    await settle();
    expect(deeds.at(-1)).toBe('POST /api/jobs/new-1/complete');
  });

  it('end the job where what failed here is found to have come all the same', async () => {
    const uploads = begin();
    await uploads.add([file('a'), file('b')], null, OPTIONS);
    over(0);
    sent[1]?.hears.failed('the gateway does not answer', false);
    const came = { name: 'b', size: 10, offset: 10, state: 'complete', note: null } as const;
    there.set('new-1', [{ ...came, upload_id: 'u-b' }]);
    await uploads.again();
    await settle();
    expect(paths()).toEqual(['a', 'b']);
    expect(uploads.counts).toMatchObject({ whole: 2, failed: 0 });
    expect(deeds.at(-1)).toBe('POST /api/jobs/new-1/complete');
  });

  it('can be cancelled one by one, and all: nothing that waits begins, and the job ends with what has come', async () => {
    const uploads = begin();
    await uploads.add(
      ['a', 'b', 'c', 'd', 'e'].map((name) => file(name)),
      null,
      OPTIONS,
    );
    over(0);
    const [, b] = uploads.files;
    if (b !== undefined) uploads.cancel(b);
    expect(sent[1]?.stopped).toBe(true);
    expect(paths()).toEqual(['a', 'b', 'c', 'd', 'e']);
    sent[1]?.hears.done(); // what is said after it counts for nothing
    expect(b?.state).toBe('cancelled');
    uploads.cancelAll();
    await settle();
    expect(uploads.counts).toMatchObject({ whole: 1, cancelled: 4, waiting: 0, sending: 0 });
    expect(deeds.at(-1)).toBe('POST /api/jobs/new-1/complete');
  });

  it('leave a job alone of which nothing has come', async () => {
    const uploads = begin();
    await uploads.add([file('notes.txt')], null, OPTIONS);
    sent[0]?.hears.failed('the file is not taken', true);
    await settle();
    expect(deeds).toEqual(['POST /api/jobs']);
  });
});

describe('what a browser remembers', () => {
  it('is nothing where it is damaged, and costs nothing where storage is switched off', () => {
    expect(parseBegun('{')).toEqual({});
    expect(parseBegun('[1]')).toEqual({});
    const off = new Resume(() => {
      throw new Error('storage is switched off');
    });
    off.note('a', ['x'], true);
    expect(off.jobOf(['x'])).toBeNull();
  });

  it('knows a file by path, size and time of change', () => {
    expect(printOf('a/b.jpg', { size: 3, lastModified: 9 })).toBe('a/b.jpg:3:9');
  });
});

it('repeats the gateway’s sentence, and says something where there is none', () => {
  expect(reasonOf(415, JSON.stringify({ status: 'error', errorType: 'x', error: 'it is a PDF' }))).toBe(
    'it is a PDF',
  );
  expect(reasonOf(502, '<html>')).toBe('the gateway answered 502');
  expect(reasonOf(0, '')).toBe('the gateway does not answer');
});
