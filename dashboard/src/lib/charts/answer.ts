/** What Prometheus answered to a query, as charts and tables need it. Pure. */

import { type Fields, isFields, list, string } from '../values';

/** `value` is `null` for NaN: nothing is known. Infinities stay. */
export type Sample = [time: number, value: number | null];

export interface QuerySeries {
  labels: Record<string, string>;
  samples: Sample[];
}

export interface QueryAnswer {
  series: QuerySeries[];
  /** What Prometheus has to say of its answer. */
  warnings: string[];
  /** Series of native histograms, which are not drawn. */
  histograms: number;
}

const NOT_FINITE: Record<string, number> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity };

/** Prometheus writes values as text. */
function readValue(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const value = NOT_FINITE[text] ?? Number(text);
  return text.trim() === '' || Number.isNaN(value) ? null : value;
}

function readSample(pair: unknown): Sample | null {
  if (!Array.isArray(pair) || typeof pair[0] !== 'number' || !Number.isFinite(pair[0])) return null;
  return [pair[0], readValue(pair[1])];
}

function readLabels(value: unknown): Record<string, string> {
  if (!isFields(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((each): each is [string, string] => typeof each[1] === 'string'),
  );
}

function readOne(item: unknown): QuerySeries | null {
  if (!isFields(item)) return null;
  const samples =
    'values' in item ? list(item['values'], readSample) : list([item['value']].filter(Boolean), readSample);
  return samples === null ? null : { labels: readLabels(item['metric']), samples };
}

function results(data: Fields): QuerySeries[] | null {
  switch (data['resultType']) {
    case 'matrix':
    case 'vector':
      return list(data['result'], readOne);
    case 'scalar': {
      const sample = readSample(data['result']);
      return sample === null ? null : [{ labels: {}, samples: [sample] }];
    }
    case 'string':
      return [];
    default:
      return null;
  }
}

/** A good answer to `query` or `query_range`; `null` for anything else. */
export function readQueryAnswer(value: unknown): QueryAnswer | null {
  if (!isFields(value) || value['status'] !== 'success' || !isFields(value['data'])) return null;
  const found = results(value['data']);
  if (found === null) return null;
  const raw = value['data']['result'];
  return {
    series: found.filter(({ samples }) => samples.length > 0),
    warnings: [...(list(value['warnings'], string) ?? []), ...(list(value['infos'], string) ?? [])],
    histograms: Array.isArray(raw)
      ? raw.filter((item) => isFields(item) && ('histogram' in item || 'histograms' in item)).length
      : 0,
  };
}

/** Where an expression is wrong: line and column count from 1. */
export interface ParseError {
  line: number;
  column: number;
  words: string;
}

/** Prometheus names the place in words: `invalid parameter "query": 1:5: parse error: unexpected end of input`. */
export function readParseError(words: string): ParseError | null {
  const found = /(?:^|[\s:])(\d{1,6}):(\d{1,6}): (?:parse error: )?([\s\S]+)$/.exec(words);
  return found === null
    ? null
    : { line: Number(found[1]), column: Number(found[2]), words: found[3]?.trim() ?? '' };
}
