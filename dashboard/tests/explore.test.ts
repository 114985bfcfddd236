import { describe, expect, it } from 'vitest';
import { labelColumns } from '../src/explore/columns';
import { examplesFor } from '../src/explore/examples';
import { added, readPast } from '../src/explore/past';
import { EXPLORE } from '../src/explore/place';
import { readPlace, writePlace } from '../src/lib/address';
import { figurePanel } from '../src/metrics/figurepanel';

const at = (search: string) => readPlace(EXPLORE, { pathname: '/explore', search });

describe('the address', () => {
  it('has the expression, the range and the view, so that a link shows the same', () => {
    const place = {
      expr: 'sum(rate(a[5m])) by (x) > 1 and b{c="d&e+f"}',
      range: { from: 'now-6h', to: 'now' },
      view: 'values' as const,
    };
    const address = writePlace(EXPLORE, place);
    expect(at(address.slice(address.indexOf('?')))).toEqual(place);
    expect(writePlace(EXPLORE, EXPLORE.empty)).toBe('/explore');
  });

  it('means nothing by what cannot be meant', () => {
    expect(at('?view=x&from=y')).toEqual(EXPLORE.empty);
    expect(at(`?expr=${'x'.repeat(20_000)}`).expr).toHaveLength(16_384);
  });
});

describe('expressions that were run', () => {
  it('stand once, newest first, and are thirty at most', () => {
    expect(added(['a', 'b'], ' b ')).toEqual(['b', 'a']);
    expect(added(['a'], '  ')).toEqual(['a']);
    expect(added(['a'], 'x'.repeat(2001))).toEqual(['a']);
    const many = Array.from({ length: 40 }, (_, index) => `m${index}`);
    expect(many.reduce<string[]>(added, [])).toHaveLength(30);
  });

  it.each([null, '', '{', '7', '{"a":1}', '[1, null, ""]'])('are none where the storage has %j', (json) =>
    expect(readPast(json)).toEqual([]),
  );
});

describe('examples', () => {
  it('teach first, then there is one for each metric', () => {
    const groups = examplesFor('');
    expect(groups[0]?.title).toBe('First steps');
    expect(groups.map(({ title }) => title)).toContain('Worker');
    expect(groups.flatMap(({ examples }) => examples).length).toBeGreaterThan(80);
  });

  it('are found by all words, in any order', () => {
    const found = examplesFor('camera LAST').flatMap(({ examples }) => examples);
    expect(found.map(({ metric }) => metric)).toContain('framefleet_camera_last_result_timestamp_seconds');
    expect(examplesFor('no-such-metric')).toEqual([]);
  });

  it('have no two that a list could not tell apart', () => {
    for (const { examples } of examplesFor(''))
      expect(new Set(examples.map(({ words, query }) => query + words)).size).toBe(examples.length);
  });
});

it('has the labels of all series as columns, the name first', () => {
  expect(labelColumns([{ job: 'a', __name__: 'up' }, { instance: 'b' }])).toEqual([
    '__name__',
    'instance',
    'job',
  ]);
  expect(labelColumns([{}])).toEqual([]);
});

describe("a card's chart", () => {
  const queries = { processingRate: 'rate', latencyP50: 'half', latencyP95: 'most' };

  it("asks with the gateway's own PromQL", () => {
    expect(figurePanel('processingRate', queries, null)).toMatchObject({ expr: 'rate', unit: 'fps' });
    expect(figurePanel('latency', queries, 0.5)?.expr).toBe(
      'label_replace(half, "quantile", "p50", "", "") or label_replace(most, "quantile", "p95", "", "")',
    );
  });

  it('waits until the gateway has told it', () => {
    expect(figurePanel('errors', queries, 0)).toBeNull();
    expect(figurePanel('latency', { latencyP50: 'half' }, null)).toBeNull();
  });
});
