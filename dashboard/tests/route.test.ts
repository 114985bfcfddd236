import { afterEach, expect, it, vi } from 'vitest';
import { EVENTS } from '../src/events/place';
import { OVERVIEW } from '../src/overview/place';

const { Route } = await import('../src/shell/route.svelte');

let back: number;

function stand(path: string): InstanceType<typeof Route> {
  const place = new URL(path, 'http://x');
  const write = (_state: unknown, _title: string, href: string) =>
    (place.href = new URL(href, 'http://x').href);
  back = 0;
  vi.stubGlobal('location', place);
  vi.stubGlobal('history', { state: null, pushState: write, replaceState: write, back: () => (back += 1) });
  vi.stubGlobal('addEventListener', () => undefined);
  return new Route();
}

afterEach(() => void vi.unstubAllGlobals());

it('changes a part of the place and keeps the rest', () => {
  const route = stand('/?state=offline');
  const overview = route.on(OVERVIEW);
  overview.go({ q: 'gate' });
  expect(location.href).toBe('http://x/?q=gate&state=offline');
  expect(overview.place).toEqual({ ...OVERVIEW.empty, q: 'gate', state: 'offline' });
});

it('leads from another page to the empty one', () => {
  const route = stand('/?state=offline&q=gate');
  expect(route.on(EVENTS).href({ event: 3 })).toBe('/events?event=3');
  expect(route.on(OVERVIEW).href(OVERVIEW.empty)).toBe('/');
});

it('closes by "back" what was opened from the page below, and else without a step', () => {
  const opened = stand('/?q=gate').on(OVERVIEW);
  opened.go({ camera: 'a' }, { opens: true });
  opened.close({ camera: null });
  expect([location.search, back]).toEqual(['?q=gate&camera=a', 1]);

  const entered = stand('/?q=gate&camera=a').on(OVERVIEW);
  entered.close({ camera: null });
  expect([location.search, back]).toEqual(['?q=gate', 0]);
});
