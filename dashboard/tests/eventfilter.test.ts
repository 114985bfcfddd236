import { describe, expect, it } from 'vitest';
import {
  type EventFilter,
  EVERYTHING,
  eventParameters,
  isEverything,
  readFilter,
  writeFilter,
} from '../src/events/eventfilter';
import { describeFilter } from '../src/events/words';

const read = (search: string) => readFilter(new URLSearchParams(search));
const written = (filter: EventFilter) => {
  const parameters = new URLSearchParams();
  writeFilter(parameters, filter);
  return parameters.toString();
};
const NOW = 1_795_618_800;

describe('the filter in the address', () => {
  it('asks for everything where nothing is said', () => {
    expect(read('')).toEqual(EVERYTHING);
    expect(isEverything(read('?x=1&camera='))).toBe(true);
    expect(written(EVERYTHING)).toBe('');
  });

  it('is what was written', () => {
    const filter: EventFilter = {
      cameras: ['gate-3', 'roof_2'],
      group: 'Süd & Nord',
      range: null,
      from: NOW - 60,
      to: NOW,
      faces: 2,
      confidence: 0.85,
      seen: false,
      feedback: 'wrong',
    };
    expect(read(written(filter))).toEqual(filter);
    expect(isEverything(filter)).toBe(false);
  });

  it('prefers a range that ends now', () => {
    expect(read('?range=24h&from=1&to=2')).toEqual({ ...EVERYTHING, range: '24h' });
  });

  it('drops a span that ends before it begins, and numbers out of bounds', () => {
    expect(read('?from=20&to=10')).toEqual(EVERYTHING);
    expect(read('?min_faces=0&min_confidence=1.5')).toEqual(EVERYTHING);
    expect(read('?min_faces=2.9&min_confidence=0')).toEqual({ ...EVERYTHING, faces: 2, confidence: 0 });
  });

  it('names a camera once, and no more than the gateway takes', () => {
    expect(read('?camera=a&camera=b&camera=a&camera=no+name').cameras).toEqual(['a', 'b']);
    expect(read(Array.from({ length: 200 }, (_, n) => `camera=c${n}`).join('&')).cameras).toHaveLength(100);
  });
});

it('is put to the gateway in Unix seconds', () => {
  const filter = read('?range=1h&camera=a&camera=b&group=g&min_faces=2&min_confidence=0.5');
  expect(eventParameters(filter, NOW).toString()).toBe(
    `from=${NOW - 3600}&camera=a&camera=b&group=g&min_faces=2&min_confidence=0.5`,
  );
  expect(eventParameters(read('?from=10&to=20'), NOW).toString()).toBe('from=10&to=20');
  expect(eventParameters(EVERYTHING, NOW).toString()).toBe('');
});

it('is told in words', () => {
  const words = (search: string) => describeFilter(read(search), (camera) => camera.toUpperCase());
  expect(words('')).toBe('');
  expect(words('?camera=a&range=1h&min_faces=2')).toBe('camera A, in the last hour, at least 2 faces');
  expect(words('?camera=a&camera=b&group=g&range=today&min_confidence=0.8')).toBe(
    '2 cameras, group g, today, confidence at least 80 %',
  );
});
