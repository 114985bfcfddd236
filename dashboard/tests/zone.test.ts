import { afterEach, describe, expect, it } from 'vitest';
import { clockTime, dayTitle, moment } from '../src/lib/format';
import { inLocalTime, instant, sameDay, wall, zoneId, zoneName } from '../src/lib/localtime';
import { describeBounds, midnight, readLocal, readTime, ticks, writeLocal } from '../src/lib/timerange';
import { readZone, zone } from '../src/lib/zone.svelte';
import { zoneGroups } from '../src/settings/zones';

const at = (text: string) => Date.parse(text) / 1000;
const HOUR = 3600;

afterEach(() => void (zone.value = ''));

describe('a chosen time zone', () => {
  it.each([
    ['Asia/Ho_Chi_Minh', '2026-11-30T17:30:00Z', '00:30:00'],
    ['Asia/Kathmandu', '2026-11-30T17:30:00Z', '23:15:00'],
    ['America/St_Johns', '2026-11-30T17:30:00Z', '14:00:00'],
    ['UTC', '2026-11-30T17:30:09Z', '17:30:09'],
  ])('%s', (name, time, shown) => {
    zone.value = name;
    expect(clockTime(at(time))).toBe(shown);
    expect(zoneId()).toBe(name);
  });

  it('has its own days', () => {
    zone.value = 'Pacific/Auckland';
    const [evening, next] = [at('2026-11-30T10:59:00Z'), at('2026-11-30T11:01:00Z')];
    expect(sameDay(evening, next)).toBe(false);
    expect(dayTitle(evening, next)).toBe('Yesterday, 30 Nov');
    expect(moment(evening, next)).toBe('30 Nov 23:59');
    expect(midnight(next)).toBe(at('2026-11-30T11:00:00Z'));
    expect(describeBounds({ from: evening, to: next })).toBe('30 Nov 23:59 – 1 Dec 00:01');
  });

  it('knows days of 23 and 25 hours', () => {
    zone.value = 'Europe/Berlin';
    const spring = midnight(at('2026-03-29T12:00:00Z'));
    expect(midnight(spring, 1) - spring).toBe(23 * HOUR);
    const autumn = midnight(at('2026-10-25T12:00:00Z'));
    expect(midnight(autumn, 1) - autumn).toBe(25 * HOUR);
    expect(zoneName(spring)).toBe('Europe/Berlin (UTC+01:00)');
    expect(zoneName(spring + 12 * HOUR)).toBe('Europe/Berlin (UTC+02:00)');
    // In the hour that is left out the clock before the change counts.
    expect(instant(2026, 2, 29, 2, 30)).toBe(at('2026-03-29T01:30:00Z'));
    expect(ticks({ from: spring, to: midnight(spring, 3) }, 4)).toEqual(
      [0, 1, 2, 3].map((day) => midnight(spring, day)),
    );
  });

  it('reads what was typed in it, and writes the same', () => {
    zone.value = 'Asia/Tokyo';
    const time = at('2026-11-30T20:15:00Z');
    expect(writeLocal(time)).toBe('2026-12-01T05:15');
    expect(readLocal('2026-12-01T05:15')).toBe(time);
    expect(readTime('2026-12-01T05:15:00')).toBe(time);
    expect(readTime('2026-12-01T05:15:00Z')).toBe(at('2026-12-01T05:15:00Z'));
    for (const wrong of ['', '2026-13-01T05:15', '2026-12-01T25:15', 'now', '2026-12-01'])
      expect(readLocal(wrong), wrong).toBeNull();
  });

  it('is that of the services’ sentences', () => {
    zone.value = 'America/New_York';
    const now = at('2026-11-30T06:00:00Z');
    expect(inLocalTime('silent since 05:59:10 UTC', now)).toBe('silent since 00:59:10');
    expect(inLocalTime('since 2026-11-30 03:00:00 UTC', now)).toBe('since 2026-11-29 22:00:00');
  });

  it('agrees with this browser’s own arithmetic in its own zone', () => {
    const own = (time: number) => new Date(time * 1000);
    for (const time of [at('2026-01-15T03:04:05Z'), at('2026-07-15T23:59:59Z')]) {
      expect(wall(time).getUTCHours()).toBe(own(time).getHours());
      expect(wall(time).getUTCDate()).toBe(own(time).getDate());
      expect(readLocal(writeLocal(time))).toBe(time - (time % 60));
    }
  });

  it.each(['Mars/Olympus', '<b>', '+07:00', 'Asia/', ' UTC'])('none is called %s', (name) => {
    expect(readZone(name)).toBeNull();
  });
});

it('offers zones by region, with the chosen one even if the list lacks it', () => {
  const groups = zoneGroups(['America/Argentina/Ushuaia', 'America/Lima', 'Asia/Tokyo'], 'Asia/Saigon');
  expect(groups.map(({ region, zones }) => [region, ...zones.map(({ name }) => name)])).toEqual([
    ['Other', 'UTC'],
    ['America', 'Argentina, Ushuaia', 'Lima'],
    ['Asia', 'Saigon', 'Tokyo'],
  ]);
});
