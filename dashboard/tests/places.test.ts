import { describe, expect, it } from 'vitest';
import { nextPath, signInPath } from '../src/lib/api';
import { explain, readToken } from '../src/lib/login';
import { confidenceText } from '../src/lib/paint';
import { readPlace, writePlace } from '../src/lib/place';
import { parseShape } from '../src/lib/remember';

describe('the address', () => {
  it.each(['/', '/?q=gate', '/?state=offline', '/?q=a+b&state=live&camera=gate-3', '/?q=%26%3D%23'])('%s survives', (path) => {
    expect(writePlace(readPlace(new URL(path, 'http://x').search))).toBe(path);
  });

  it('ignores what it does not know', () => {
    expect(readPlace('?state=odd&x=1&camera=')).toEqual({ camera: null, q: '', state: null });
  });
});

describe('signing in', () => {
  it('leads back to where one was', () => {
    expect(signInPath({ pathname: '/', search: '' })).toBe('/login');
    const path = signInPath({ pathname: '/', search: '?camera=gate-3&q=a' });
    expect(nextPath(new URL(path, 'http://x').search)).toBe('/?camera=gate-3&q=a');
  });

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', ''])('never leads to %s', (next) => {
    expect(nextPath(`?next=${encodeURIComponent(next)}`)).toBe('/');
  });

  it('takes the token, or the whole link', () => {
    expect(readToken('  abc123\n')).toBe('abc123');
    expect(readToken('http://127.0.0.1:8080/?token=abc-123_X')).toBe('abc-123_X');
    expect(readToken('http://h/?a=1&token=abc#x')).toBe('abc');
  });

  it('says what to do', () => {
    expect(explain(401)).toContain('Copy it again');
    expect(explain(429)).toContain('Wait');
    expect(explain(503)).toContain('503');
  });
});

it('writes confidences short', () => {
  expect([0.934, 0.999, 1, 0, 0.05, 7.3].map(confidenceText)).toEqual(['.93', '1.0', '1.0', '.00', '.05', '7.3']);
});

it('remembers only sound grids', () => {
  expect(parseShape('{"count":12,"aspect":1.33}')).toEqual({ count: 12, aspect: 1.33 });
  for (const odd of [null, '', '{', '{}', 'null', '{"count":0,"aspect":1}', '{"count":2,"aspect":null}']) {
    expect(parseShape(odd).count).toBe(4);
  }
});
