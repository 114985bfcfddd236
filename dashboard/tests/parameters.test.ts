import { describe, expect, it } from 'vitest';
import { complaints, effective } from '../src/lib/parameters';
import { OVERVIEW } from '../src/overview/place';
import { EVENTS } from '../src/events/place';
import { SETTINGS } from '../src/settings/place';

const overview = OVERVIEW.parameters ?? {};
const events = EVENTS.parameters ?? {};

describe('what an address says in vain', () => {
  it.each([
    [
      overview,
      '?state=ofline',
      '“ofline” is invalid as state; valid: live, degraded, stalled, offline, connecting, disabled, quiet, unknown',
    ],
    [overview, '?state=OFFLINE', 'offline'],
    [
      overview,
      '?stat=offline',
      '“stat” is unknown: this page takes camera, q, state, group, figure, from, to',
    ],
    [overview, '?__proto__=1', '“__proto__” is unknown'],
    [events, '?range=2h', '“2h” is invalid as range; valid: 1h, today, 24h, 7d'],
    [events, '?from=yesterday', '“yesterday” is invalid as from'],
    [events, '?min_faces=0', '“0” is invalid as min_faces'],
    [events, '?min_confidence=90', '“90” is invalid as min_confidence'],
    [events, '?camera=a.b', '“a.b” is invalid as camera'],
    [events, '?event=first', '“first” is invalid as event'],
    [SETTINGS.parameters ?? {}, '?model=haar', '“model” is unknown: this page takes no parameters'],
  ])('%#: %s', (allowed, search, words) => {
    expect(complaints(allowed, search)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    [overview, ''],
    [overview, '?'],
    [overview, '?state=offline&q=%C3%BC%20%26&group=&camera=gate-3'],
    [events, '?camera=a&camera=b&range=1h&min_faces=2&min_confidence=0.5&event=12&frame=a:1:2'],
    [events, '?from=2026-11-25T14:00:00Z&to=1795216000.5'],
    [events, '?from=2026-11-25T14:00:00%2B07:00'],
  ])('nothing of what is valid (%#)', (allowed, search) => {
    expect(complaints(allowed, search)).toEqual([]);
  });

  it('does not repeat a whole novel', () => {
    const told = complaints(
      overview,
      `?state=${'x'.repeat(5000)}&${'y=1&'.repeat(100)}a=1&b=1&c=1&d=1&e=1&f=1`,
    );
    expect(told).toHaveLength(5);
    expect(told.join().length).toBeLessThan(700);
  });

  it('can be taken out of the address, and what holds stays', () => {
    expect(effective(events, '?range=2h&camera=gate-3&from=2026-11-25T14:00:00Z&x=1')).toBe(
      '?camera=gate-3&from=2026-11-25T14:00:00Z',
    );
    expect(effective(overview, '?stat=offline')).toBe('');
  });
});

describe('every page declares what it reads and writes', () => {
  it('in its parameters', () => {
    const written = new URLSearchParams();
    const range = { from: 'now-3h', to: 'now-1h' };
    OVERVIEW.write({ camera: 'a', q: 'b', state: 'live', group: 'c', figure: 'errors', range }, written);
    expect(complaints(overview, `?${written}`)).toEqual([]);
    expect([...written.keys()].sort()).toEqual(Object.keys(overview).sort());
    const filter = {
      cameras: ['a'],
      group: 'g',
      seen: false,
      feedback: 'wrong' as const,
      range: null,
      from: 1,
      to: 2,
      faces: 3,
      confidence: 0.5,
    };
    const whole = new URLSearchParams();
    EVENTS.write({ filter, event: 7, frame: 'f' }, whole);
    expect(complaints(events, `?${whole}`)).toEqual([]);
    expect([...whole.keys(), 'range'].sort()).toEqual(Object.keys(events).sort());
  });
});
