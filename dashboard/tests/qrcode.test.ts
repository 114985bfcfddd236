import { describe, expect, it } from 'vitest';
import { QUIET, qrCode } from '../src/lib/qrcode';
import { leadsElsewhere } from '../src/lib/reach';

/** The dark modules that the path draws, as `x,y`. */
function drawn(path: string): Set<string> {
  const modules = new Set<string>();
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let at = 0; at < Number(width); at += 1) modules.add(`${Number(x) + at},${y}`);
  }
  return modules;
}

describe('a QR code', () => {
  const { size, path } = qrCode('http://192.168.1.5:8080/?code=c3RvcC1yZWFkaW5nLXRoaXM');
  const dark = drawn(path);
  it('has its three finders, and quiet modules around', () => {
    const end = size - QUIET - 1;
    for (const [x, y] of [
      [QUIET, QUIET],
      [end, QUIET],
      [QUIET, end],
    ]) {
      expect(dark.has(`${x},${y}`)).toBe(true);
    }
    for (let at = 0; at < size; at += 1) {
      expect(dark.has(`${at},${QUIET - 1}`) || dark.has(`${QUIET - 1},${at}`)).toBe(false);
    }
  });
  it('is a square that grows with its text', () => {
    expect((size - 2 * QUIET - 17) % 4).toBe(0);
    expect(qrCode(`https://cameras.example/fleet/?code=${'x'.repeat(120)}`).size).toBeGreaterThan(size);
  });
});

it.each([
  ['http://192.168.1.5:8080/?code=a', true],
  ['https://cameras.example/fleet/?code=a', true],
  ['http://[fd00::7]:8080/?code=a', true],
  ['http://127.0.0.1:8080/?code=a', false],
  ['http://127.9.9.9/', false],
  ['http://localhost:8080/?code=a', false],
  ['http://LOCALHOST/', false],
  ['http://[::1]:8080/', false],
  ['http://localhost.example/', true],
  ['nothing', false],
])('%s leads to other machines: %s', (link, elsewhere) => {
  expect(leadsElsewhere(link)).toBe(elsewhere);
});
