import { describe, expect, it } from 'vitest';
import { explain, nextPath, readCredential, signInPath, whyHere } from '../src/login/login';
import { confidenceText } from '../src/lib/layers';
import { EVENTS } from '../src/events/place';
import { type PageAddress, match, readPlace, writePlace } from '../src/lib/address';
import { OVERVIEW } from '../src/overview/place';
import { parseShape } from '../src/lib/memory';

const url = (path: string) => new URL(path, 'http://x');

describe('the address', () => {
  it.each([
    '/',
    '/?q=gate',
    '/?state=offline',
    '/?q=a+b&state=live&group=harbour&camera=gate-3',
    '/?q=%26%3D%23',
  ])('of the overview: %s survives', (path) => {
    expect(writePlace(OVERVIEW, readPlace(OVERVIEW, url(path)))).toBe(path);
  });

  it.each([
    '/events',
    '/events?event=17',
    '/events?range=24h&camera=gate-3&camera=roof&group=the+harbour&min_faces=2&min_confidence=0.8',
    '/events?from=2026-11-25T14:00:00Z&to=2026-11-25T15:30:00Z&event=3',
  ])('of the events: %s survives', (path) => {
    expect(writePlace(EVENTS, readPlace(EVENTS, url(path)))).toBe(path);
  });

  it('ignores what it does not know, and what is another page’s', () => {
    expect(readPlace(OVERVIEW, url('/?state=odd&x=1&camera='))).toEqual(OVERVIEW.empty);
    expect(readPlace(EVENTS, url('/elsewhere?event=3'))).toEqual(EVENTS.empty);
    expect(
      readPlace(
        EVENTS,
        url('/events/?q=gate&event=none&range=odd&min_faces=0&min_confidence=2&from=yesterday&camera='),
      ),
    ).toEqual(EVENTS.empty);
  });

  it.each([
    ['/', '/', ''],
    ['/', '/events', null],
    ['/events', '/events/', ''],
    ['/events', '/eventsx', null],
    ['/cameras/{id}', '/cameras/gate%203', 'gate 3'],
    ['/cameras/{id}', '/cameras/gate-3/', 'gate-3'],
    ['/cameras/{id}', '/cameras/', null],
    ['/cameras/{id}', '/cameras', null],
    ['/cameras/{id}', '/cameras/a/b', null],
    ['/cameras/{id}', '/cameras/%ff', null],
  ])('%s at %s: %j', (path, pathname, id) => {
    expect(match(path, pathname)).toBe(id);
  });

  it('names one of many in its path', () => {
    const camera: PageAddress<{ id: string }> = {
      path: '/cameras/{id}',
      parameters: {},
      empty: { id: '' },
      read: (_, id) => ({ id }),
      write: () => undefined,
      id: ({ id }) => id,
    };
    expect(readPlace(camera, url('/cameras/a%2Fb'))).toEqual({ id: 'a/b' });
    expect(writePlace(camera, { id: 'a/b' })).toBe('/cameras/a%2Fb');
  });
});

describe('signing in', () => {
  it('leads back to where one was', () => {
    expect(signInPath({ pathname: '/', search: '' })).toBe('/login?reason=ended');
    const path = signInPath({ pathname: '/', search: '?camera=gate-3&q=a' });
    expect(nextPath(new URL(path, 'http://x').search)).toBe('/?camera=gate-3&q=a');
  });

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', ''])(
    'never leads to %s',
    (next) => {
      expect(nextPath(`?next=${encodeURIComponent(next)}`)).toBe('/');
    },
  );

  it('takes a token, or a whole link', () => {
    expect(readCredential('  abc123\n')).toEqual({ token: 'abc123' });
    expect(readCredential('http://127.0.0.1:8080/?code=abc-123_X')).toEqual({ code: 'abc-123_X' });
    expect(readCredential('http://h/?a=1&token=abc#x')).toEqual({ token: 'abc' });
  });

  it('says what to do', () => {
    const words = (status: number, retryAfter: string | null = null) =>
      explain(status, { token: 'x' }, retryAfter).join('');
    expect(words(401)).toContain(
      'The gateway does not accept this token: it is wrong, revoked or expired. Copy all of it again.',
    );
    expect(words(429)).toContain('Too many wrong tokens. Wait 1 minute, then try again.');
    expect(words(429, '20')).toContain('Wait 20 seconds,');
    expect(words(429, '60')).toContain('Too many wrong tokens. Wait 1 minute, then try again.');
    expect(words(429, '150')).toContain('Wait 3 minutes,');
    expect(words(503)).toContain('503');
    expect(explain(401, { code: 'x' }, null).join('')).toContain('framefleet link');
  });

  it('says why one is there', () => {
    expect(whyHere('')).toBeNull();
    expect(whyHere('?reason=ended')?.join('')).toBe('Your session has ended.');
    expect(whyHere('?reason=ended&next=%2Fevents')?.join('')).toContain(
      'Your session has ended. Sign in to return to the page where you were.',
    );
    expect(whyHere('?link=used')?.join('')).toContain(
      'This link was already used, or is older than a day. Run framefleet link for another one (with Docker Compose docker compose exec gateway framefleet link), or paste a token.',
    );
    expect(whyHere('?link=token')?.join('')).toContain('no longer sign in');
    expect(whyHere('?wrong=1')?.join('')).toContain(
      'The gateway does not accept this token: it is wrong, revoked or expired. Copy all of it again.',
    );
  });
});

it('writes confidences short', () => {
  expect([0.934, 0.999, 1, 0, 0.05, 7.3].map(confidenceText)).toEqual([
    '.93',
    '1.0',
    '1.0',
    '.00',
    '.05',
    '7.3',
  ]);
});

it('remembers only sound grids', () => {
  expect(parseShape('{"count":12,"aspect":1.33}')).toEqual({ count: 12, aspect: 1.33 });
  for (const odd of [null, '', '{', '{}', 'null', '{"count":0,"aspect":1}', '{"count":2,"aspect":null}']) {
    expect(parseShape(odd).count).toBe(4);
  }
});
