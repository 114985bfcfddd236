import { describe, expect, it } from 'vitest';
import { startSource, startWorkers } from '../src/lib/commands';
import { noticeTitle } from '../src/lib/health';

describe('advised commands', () => {
  it.each([
    ['native', 'make up WORKERS=3', 'make down && make up SOURCE=demo'],
    ['compose', 'docker compose up -d --scale cv-worker=3', 'SOURCE=demo docker compose up -d'],
    [null, 'python -m worker', 'SOURCE=demo python -m producer'],
  ] as const)('are those that work when started by %s', (launcher, workers, source) => {
    expect(startWorkers(launcher, 3)).toBe(workers);
    expect(startSource(launcher, 'demo')).toBe(source);
  });
});

describe('the title of a notice', () => {
  it.each([
    ['queue frame_queue.from.school: it is down', 'A sender’s queue is down', 'bad'],
    ['The file of cameras /c.yaml has a mistake: line 3: …', 'The file of cameras has mistakes', 'warning'],
    ['12 cameras are not shown: …', 'Cameras are left out', 'warning'],
  ])('%s', (sentence, title, level) => {
    expect(noticeTitle(sentence)).toEqual({ title, level });
  });
});
