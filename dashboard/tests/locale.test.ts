import { describe, expect, it } from 'vitest';
import { locale, matching } from '../src/lib/locale';
import { catalogOf, isText, remaining } from '../texts.js';

describe('the language', () => {
  it.each([
    [['vi-VN', 'en'], 'vi'],
    [['zh-CN'], 'zh-Hans'],
    [['zh'], 'zh-Hans'],
    [['zh-TW', 'vi'], 'vi'],
    [['zh-Hant-HK'], 'en'],
    [['de', 'fr'], 'en'],
    [['de', 'vi'], 'vi'],
    [[], 'en'],
  ])('of somebody who reads %j is %s', (wanted, expected) => expect(matching(wanted)).toBe(expected));

  it('is English where there is no browser', () => expect(locale()).toBe('en'));
});

describe('a text', () => {
  it.each(['no workers', '# of #', '# min', 'Switch', 'The model was not switched: #.', '#; check it'])(
    'is %s',
    (text) => expect(isText(text)).toBe(true),
  );

  it.each([
    'rate(cv_frames_total[1m])',
    'button go--wide',
    '/api/nodes',
    'application/json',
    'ArrowLeft',
    'Escape',
    'sum(x) by (node_id)',
    'offline',
    '600 #px #',
    'python -m worker',
  ])('is not %s', (text) => expect(isText(text)).toBe(false));

  it('is found in built code where it was forgotten', () => {
    expect(remaining('<p class="some thing">Nothing here</p><b title="Two words">x</b>')).toEqual([
      'Nothing here',
      'Two words',
    ]);
    expect(remaining('tile svelte-1abc')).toEqual([]);
  });

  it('comes with its folder', () => {
    expect(catalogOf('src/nodes/words.ts')).toBe('nodes');
    expect(catalogOf('/work/src/lib/charts/Chart.svelte')).toBe('first');
  });
});
