import { beforeAll, describe, expect, it } from 'vitest';
import { inLocalTime, zoneName } from '../src/lib/localtime';

const NOW = Date.parse('2026-11-30T06:00:00Z') / 1000;
const before = process.env['TZ'];

describe('times in sentences', () => {
  beforeAll(() => {
    process.env['TZ'] = 'Asia/Ho_Chi_Minh';
    return () => {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    };
  });

  it.each([
    ['silent since 05:59:10 UTC: no heartbeat', 'silent since 12:59:10: no heartbeat'],
    [
      'between 2026-11-29 20:00:00 UTC and 2026-11-30 01:02:03 UTC',
      'between 2026-11-30 03:00:00 and 2026-11-30 08:02:03',
    ],
    ['until 2026-11-30T05:00:00Z', 'until 2026-11-30 12:00:00'],
    ['at 23:30 UTC', 'at 06:30'],
    ['its clock is 3 s behind', 'its clock is 3 s behind'],
    ['the UTC clock of gate-3:17:00', 'the UTC clock of gate-3:17:00'],
    ['at 99:99:99 UTC', 'at 99:99:99 UTC'],
  ])('%s', (said, shown) => {
    expect(inLocalTime(said, NOW)).toBe(shown);
  });

  it('has a zone that people know', () => {
    expect(zoneName(NOW)).toMatch(/UTC\+07:00/);
  });
});
