import { expect, it } from 'vitest';
import { backoff } from '../src/lib/backoff';

it('doubles up to its cap', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoff(attempt, () => 1));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

it('spreads between half and all of the step', () => {
  expect(backoff(3, () => 0)).toBe(2000);
  expect(backoff(3, () => 0.5)).toBe(3000);
  for (let attempt = 0; attempt < 40; attempt += 1) {
    expect(backoff(attempt)).toBeGreaterThanOrEqual(250);
    expect(backoff(attempt)).toBeLessThanOrEqual(15_000);
  }
});
