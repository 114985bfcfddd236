import { describe, expect, it } from 'vitest';
import { explain, nextPath, readCredential, signInPath, whyHere } from '../src/lib/login';
import { confidenceText } from '../src/lib/paint';
import { EVENTS, OVERVIEW, opens, readPlace, writePlace } from '../src/lib/place';
import { parseShape } from '../src/lib/memory';

const at = (path: string) => readPlace(new URL(path, 'http://x'));

describe('the address', () => {
  it.each([
    '/',
    '/?q=gate',
    '/?state=offline',
    '/?q=a+b&state=live&group=harbour&camera=gate-3',
    '/?q=%26%3D%23',
    '/events',
    '/events?event=17',
    '/events?range=24h&camera=gate-3&camera=roof&group=the+harbour&min_faces=2&min_confidence=0.8',
    '/events?from=2026-11-25T14:00:00Z&to=2026-11-25T15:30:00Z&event=3',
  ])('%s survives', (path) => {
    expect(writePlace(at(path))).toBe(path);
  });

  it('ignores what it does not know', () => {
    expect(at('/?state=odd&x=1&camera=')).toEqual(OVERVIEW);
    expect(at('/elsewhere?event=3')).toEqual(OVERVIEW);
    expect(
      at('/events/?q=gate&event=none&range=odd&min_faces=0&min_confidence=2&from=yesterday&camera='),
    ).toEqual(EVENTS);
  });

  it('knows what "back" closes', () => {
    expect(opens(at('/'), at('/?camera=a'))).toBe(true);
    expect(opens(at('/events?range=1h'), at('/events?range=1h&event=1'))).toBe(true);
    expect(opens(at('/events?event=1'), at('/?camera=a'))).toBe(false);
    expect(opens(at('/events?event=1'), at('/events?event=2'))).toBe(false);
    expect(opens(at('/?camera=a'), at('/'))).toBe(false);
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
    expect(words(401)).toContain('Copy it again');
    expect(words(429)).toContain('Wait a minute,');
    expect(words(429, '20')).toContain('Wait 20 seconds,');
    expect(words(429, '60')).toContain('Wait a minute,');
    expect(words(429, '150')).toContain('Wait 3 minutes,');
    expect(words(503)).toContain('503');
    expect(explain(401, { code: 'x' }, null).join('')).toContain('framefleet link');
  });

  it('says why one is there', () => {
    expect(whyHere('')).toBeNull();
    expect(whyHere('?reason=ended')?.join('')).toBe('Your session has ended.');
    expect(whyHere('?reason=ended&next=%2Fevents')?.join('')).toContain('back where you were');
    expect(whyHere('?link=used')?.join('')).toContain('used already');
    expect(whyHere('?link=token')?.join('')).toContain('no longer sign in');
    expect(whyHere('?wrong=1')?.join('')).toContain('no token of this gateway');
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
