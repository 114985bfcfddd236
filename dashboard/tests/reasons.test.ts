import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ITEM_FAILURE_WORDS, itemFailureWords } from '../src/jobs/reasons';

const source = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const constants = (file: string) =>
  [...source(file).matchAll(/^ *[A-Z_]+ = "(\w+)"/gm)].map((found) => found[1] ?? '');

describe('the reasons of failed items', () => {
  const renamed = ['forbidden', 'io_error', 'memory', 'stuck'];
  const ofVideos = [...source('batch/video/errors.py').matchAll(/^ {4}"(\w+)",$/gm)]
    .map((found) => found[1] ?? '')
    .filter((reason) => !renamed.includes(reason));
  const reasons = [...constants('batch/reasons.py'), ...ofVideos, ...constants('contract/failures.py')];

  it('have words in each language', () => {
    expect(reasons.length).toBeGreaterThan(35);
    expect(reasons.filter((reason) => !(reason in ITEM_FAILURE_WORDS))).toEqual([]);
  });

  it('say of a file what of a message would be wrong', () => {
    expect(itemFailureWords('empty')).toBe('empty file');
    expect(itemFailureWords('not_an_image')).toBe('not an image');
    expect(itemFailureWords('of_tomorrow')).toBe('of tomorrow');
  });
});
