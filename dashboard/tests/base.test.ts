import { expect, test } from 'vitest';
import { below, readBase } from '../src/lib/base';

test.each([
  [undefined, ''],
  ['/', ''],
  ['/fleet/', '/fleet'],
  ['/a/b/', '/a/b'],
])('the page says %s: the gateway is below %j', (content, base) => {
  expect(readBase(content)).toBe(base);
});

test.each([
  ['/', '', '/'],
  ['/events', '', '/events'],
  ['/fleet', '/fleet', '/'],
  ['/fleet/', '/fleet', '/'],
  ['/fleet/events', '/fleet', '/events'],
  ['/events', '/fleet', '/events'],
])('%s below %j is %s', (pathname, base, path) => {
  expect(below(pathname, base)).toBe(path);
});
