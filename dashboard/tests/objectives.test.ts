import { describe, expect, it } from 'vitest';
import type { ServiceObjectiveView } from '../src/lib/contract.gen';
import { burns, excuse, filled, gist, level, remark, share, titled } from '../src/cluster/objectives';

const objective = (change: Partial<ServiceObjectiveView> = {}): ServiceObjectiveView => ({
  name: 'freshness',
  objective: 0.99,
  window_days: 30,
  known_seconds: 30 * 86_400,
  sli: 0.9967,
  error_budget_remaining: 0.67,
  burn_rate: 0.2,
  ...change,
});
const young = objective({ known_seconds: 7_200, sli: null, error_budget_remaining: null });

describe('an objective', () => {
  it('is told with what was promised and kept', () => {
    expect(titled(objective())).toBe('Freshness');
    expect(remark(objective())).toBe('target 99 %, result 99.67 %, 30 days');
    expect([level(objective()), filled(objective()), burns(objective())]).toEqual(['good', 0.67, '0.2×']);
  });

  it('says of how much time it speaks', () => {
    expect(remark(objective({ known_seconds: 7 * 86_400 }))).toBe(
      'target 99 %, result 99.67 %, 7 d of 30 days',
    );
  });

  it('is not known before there is a day of figures', () => {
    expect(remark(young)).toBe('target 99 %; result not known yet');
    expect(excuse([objective(), young])).toBe(
      'The remaining budgets are not known yet: one day of figures is needed, and 2 h exist.',
    );
    expect(excuse([{ ...young, known_seconds: 0 }])).toContain(
      'The remaining budgets are not known yet: one day of figures is needed, and less than an hour exists.',
    );
    expect(excuse([objective(), objective({ error_budget_remaining: null })])).toBeNull();
    expect([level(young), filled(young)]).toEqual(['unknown', 0]);
    expect(remark(objective({ error_budget_remaining: null }))).toBe('target 99 %; nothing was counted');
    expect(burns(objective({ burn_rate: null }))).toBe('–');
  });

  it('that is missed has no budget, however far below', () => {
    const missed = objective({ error_budget_remaining: -3.5 });
    expect([level(missed), filled(missed)]).toEqual(['bad', 0]);
    expect(level(objective({ error_budget_remaining: 0 }))).toBe('bad');
    expect(level(objective({ error_budget_remaining: 0.1 }))).toBe('warning');
  });

  it('is never rounded up to all', () => {
    expect([share(0.999999), share(0.99), share(0.999), share(1), share(0.5)]).toEqual([
      '99.99 %',
      '99 %',
      '99.9 %',
      '100 %',
      '50 %',
    ]);
  });
});

describe('the gist', () => {
  const told = (...items: ServiceObjectiveView[]) => gist({ items, source: 'prometheus', error: null });

  it('is the smallest budget, or what is missed', () => {
    expect(told(objective(), objective({ error_budget_remaining: 0.31 }))).toBe('31 % left');
    expect(told(objective(), objective({ error_budget_remaining: -1 }))).toBe('1 missed');
    expect(told(objective(), young)).toBe('67 % left');
  });

  it('says what is not known', () => {
    expect(gist(null)).toBe('–');
    expect(gist({ items: [], source: 'none', error: 'Prometheus cannot be reached' })).toBe('unknown');
    expect(told()).toBe('not known yet');
    expect(told(young)).toBe('not known yet');
  });
});
