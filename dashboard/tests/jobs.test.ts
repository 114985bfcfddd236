import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../src/lib/address';
import type { JobItemView, JobTimelineView, JobView } from '../src/lib/contract.gen';
import {
  bytesWords,
  clientLevel,
  consequences,
  deedsOf,
  etaWords,
  failuresWords,
  foundWords,
  levelOf,
  nameFor,
  progress,
  progressWords,
  remaining,
  sparedShare,
  takesFiles,
} from '../src/jobs/jobs';
import { JOB, JOBS } from '../src/jobs/place';
import { following, gist, marks, nearest, partOf, videoClock, wordsAt } from '../src/jobs/timeline';

const job = (changes: Partial<JobView> = {}): JobView => ({
  job_id: 'a1b2',
  name: 'holiday',
  state: 'running',
  note: null,
  complete: true,
  settings: { every: 0.033, windows: 'fixed', skip: true, lane: 'batch' },
  created: 1000,
  started: 1001,
  ended: null,
  by: 'main',
  items: 100,
  ok: 60,
  failed: 3,
  retried: 1,
  rate: 12.3,
  eta_seconds: 65,
  bytes: 3_700_000,
  files: 9,
  videos: 1,
  frames: { decoded: 200, skipped: 100, reused: 32, computed: 68 },
  failures: [],
  latency: { p50: 0.2, p95: null, p99: null },
  uploads: [],
  ...changes,
});

const upload = (name: string, size = 10): JobView['uploads'][number] => ({
  upload_id: `id-of-${name}`,
  name,
  size,
  offset: 4,
  state: 'receiving',
  note: null,
});

const timeline = (changes: Partial<JobTimelineView> = {}): JobTimelineView => ({
  number: 1,
  name: 'film.mp4',
  state: 'ok',
  seconds: 20,
  presences: [{ time: 6, until: 8, faces: 2, confidence: 0.93, best_time: 7 }],
  windows: [{ number: 1, time: 0, until: 15, samples: 100, analysed: 40 }],
  skipped: [{ time: 0, until: 5 }],
  pictures: [6.2, 7, 8],
  ...changes,
});

const url = (path: string) => new URL(path, 'http://x');

describe('the addresses of jobs', () => {
  it.each(['/jobs', '/jobs?state=running', '/jobs?state=done&cursor=4711'])('%s survives', (path) => {
    expect(writePlace(JOBS, readPlace(JOBS, url(path)))).toBe(path);
  });

  it.each([
    '/jobs/a1b2',
    '/jobs/a1b2?state=failed&reason=not_an_image',
    '/jobs/a1b2?state=ok&kind=video',
    '/jobs/a1b2?cursor=50&item=7&time=12.345',
  ])('%s survives', (path) => {
    expect(writePlace(JOB, readPlace(JOB, url(path)))).toBe(path);
  });

  it('what is no state, number or time is as if it were not there', () => {
    expect(readPlace(JOBS, url('/jobs?state=odd'))).toEqual(JOBS.empty);
    expect(readPlace(JOB, url('/jobs/a?state=odd&item=x&time=-1'))).toEqual({ ...JOB.empty, job: 'a' });
  });
});

describe('a job in words', () => {
  it('tells how far it is', () => {
    expect(progress(job())).toEqual({ ok: 0.6, failed: 0.03 });
    expect(progress(job({ items: 0, ok: 0, failed: 0 }))).toEqual({ ok: 0, failed: 0 });
    expect(progressWords(job())).toBe('63 of 100 items');
    expect(remaining(job())).toBe(37);
    expect(etaWords(job())).toBe('1 min 5 s');
    expect(etaWords(job({ state: 'done' }))).toBe('–');
    expect(etaWords(job({ eta_seconds: null }))).toBe('–');
  });

  it('tells what needed no computing, and nothing where there was no video', () => {
    expect(sparedShare(job())).toBeCloseTo(0.66);
    expect(sparedShare(job({ frames: { decoded: 0, skipped: 0, reused: 0, computed: 0 } }))).toBeNull();
  });

  it.each([
    ['done', 0, 'good'],
    ['done', 1, 'warning'],
    ['failed', 0, 'bad'],
    ['lost', 0, 'bad'],
    ['paused', 0, 'warning'],
    ['running', 5, 'unknown'],
  ] as const)('%s with %d failures is %s', (state, failed, level) => {
    expect(levelOf({ state, failed })).toBe(level);
  });

  it.each([
    ['done', 0, 'good'],
    ['done', 1, 'warning'],
    ['running', 1, 'unknown'],
    ['stalled', 0, 'warning'],
    ['interrupted', 0, 'warning'],
    ['lost', 0, 'bad'],
  ] as const)('of a command line, %s with %d failures is %s', (state, failed, level) => {
    expect(clientLevel({ state, failed })).toBe(level);
  });

  it('tells why items of a command line failed', () => {
    const failures = [
      { reason: 'not_an_image', count: 1200 },
      { reason: 'no_room', count: 1 },
    ];
    expect(failuresWords({ failures })).toBe('1,200 not an image, 1 no room to unpack it');
    expect(failuresWords({ failures: [] })).toBe('');
  });

  it.each([
    ['uploading', false, ['complete', 'pause', 'cancel', 'delete']],
    ['running', true, ['pause', 'cancel', 'delete']],
    ['paused', false, ['complete', 'resume', 'cancel', 'delete']],
    ['failed', true, ['resume', 'delete']],
    ['done', true, ['delete']],
  ] as const)('%s offers what is possible', (state, complete, deeds) => {
    expect(deedsOf({ state, complete })).toEqual(deeds);
  });

  it('takes files until it is said that no more come', () => {
    expect(takesFiles({ state: 'paused', complete: false })).toBe(true);
    expect(takesFiles({ state: 'running', complete: true })).toBe(false);
    expect(takesFiles({ state: 'cancelled', complete: false })).toBe(false);
  });

  it('tells in numbers what cancelling and deleting do', () => {
    expect(consequences('cancel', job({ uploads: [upload('a')] }))).toEqual([
      '37 items will not be computed.',
      '1 upload that is under way ends and is thrown away.',
      '63 results stay, to be downloaded.',
    ]);
    expect(consequences('delete', job({ state: 'done', items: 63 }))).toEqual([
      '63 results are deleted.',
      '9 uploaded files (3.7 MB): deleted here; yours stay where they are.',
      'This cannot be undone.',
    ]);
  });

  it.each([
    [0, '0 B'],
    [120, '120 B'],
    [3000, '3.0 kB'],
    [4_200_000_000, '4.2 GB'],
  ])('%d bytes are %s', (bytes, words) => {
    expect(bytesWords(bytes)).toBe(words);
  });

  it('names a job by its file, its folder, or their number', () => {
    expect(nameFor(['film.mp4'])).toBe('film.mp4');
    expect(nameFor(['photos/a.jpg', 'photos/2024/b.jpg'])).toBe('photos');
    expect(nameFor(['a.jpg', 'photos/b.jpg'])).toBe('2 files');
  });

  it('tells what was found, of what is settled', () => {
    const item: JobItemView = {
      number: 1,
      name: 'a.jpg',
      kind: 'picture',
      state: 'ok',
      reason: null,
      error: null,
      detections: 1,
      seconds: 0.2,
      size: 10,
    };
    expect(foundWords(item)).toBe('1 face');
    expect(foundWords({ ...item, kind: 'video', detections: 3 })).toBe('3 stretches with faces');
    expect(foundWords({ ...item, state: 'failed' })).toBe('–');
  });
});

describe('a video’s timeline', () => {
  it('has parts in percent, none beyond its ends', () => {
    expect(partOf({ time: 5, until: 10 }, 20)).toEqual({ left: 25, width: 25 });
    expect(partOf({ time: 15, until: 30 }, 20)).toEqual({ left: 75, width: 25 });
    expect(partOf({ time: 0, until: 1 }, 0)).toEqual({ left: 0, width: 0 });
  });

  it.each([
    [[], 3, null],
    [[5], 900, 5],
    [[1, 2, 4], 0, 1],
    [[1, 2, 4], 2.9, 2],
    [[1, 2, 4], 3.1, 4],
    [[1, 2, 4], 99, 4],
  ])('the nearest of %j to %d is %s', (times, time, found) => {
    expect(nearest(times, time)).toBe(found);
  });

  it('steps from picture to picture, and stays at the ends', () => {
    expect(following([1, 2, 4], 2, 1)).toBe(4);
    expect(following([1, 2, 4], 2, -1)).toBe(1);
    expect(following([1, 2, 4], 4, 1)).toBe(4);
    expect(following([], 3, -1)).toBe(3);
  });

  it('writes times as players do', () => {
    expect([videoClock(0), videoClock(75), videoClock(3723)]).toEqual(['0:00', '1:15', '1:02:03']);
    expect([videoClock(18.64, true), videoClock(59.99, true)]).toEqual(['0:18.6', '0:59.9']);
  });

  it('has no more marks than there is room for', () => {
    for (const seconds of [0.3, 7, 20, 3600, 90_000])
      expect(marks(seconds, 8).length, String(seconds)).toBeLessThanOrEqual(9);
    expect(marks(20, 10)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(marks(0, 8)).toEqual([]);
  });

  it('tells what is at a time', () => {
    expect(wordsAt(timeline(), 7)).toBe('0:07.0: up to 2 faces, .93');
    expect(wordsAt(timeline(), 3)).toBe('0:03.0: nothing new, so it was skipped');
    expect(wordsAt(timeline(), 12)).toBe('0:12.0: no face');
  });

  it('says when it is not yet all', () => {
    expect(gist(timeline())).toBe('1 stretch with faces in 0:20');
    expect(gist(timeline({ state: 'waiting' }))).toBe('1 stretch with faces in 0:20 so far');
  });
});
