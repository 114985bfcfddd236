import { describe, expect, it } from 'vitest';
import type { ModelView, ModelsView, NodeView } from '../src/lib/contract.gen';
import { CLUSTER } from '../src/lib/models';
import { costOf, loadOf, priceOf, specification, wayBack } from '../src/models/price';

const model = (name: string, seconds: number | null): ModelView => ({
  name,
  task: 'face',
  licence: null,
  size: null,
  digests: [],
  conflict: false,
  states: {},
  errors: {},
  benchmark:
    seconds === null ? null : { seconds, faces_from: 24, recall: 1, surplus: 0, machine: 'another one' },
});

const view = (changes: Partial<ModelsView> = {}): ModelsView => ({
  models: [model('haar', 0.016), model('yunet', 0.002), model('plates', null)],
  desired: { revision: 1, cluster: null, lanes: {}, cameras: {} },
  nodes: [],
  costs: [],
  last: null,
  ...changes,
});

const YUNET_HERE = { model: 'yunet@ebafce4e', seconds: 0.009, frames: 500 };

const worker = (node_id: string, changes: Partial<NodeView> = {}): NodeView => ({
  node_id,
  state: 'running',
  lane: 'live',
  model: 'yunet@ebafce4e',
  detector: 'yunet',
  fallback: null,
  fps: 60,
  busy: 0.5,
  since: 0,
  last_seen: 0,
  desired: 1,
  model_error: null,
  settled: true,
  drain: null,
  ...changes,
});

describe('the cost of a model', () => {
  it('is what these workers measured', () => {
    expect(costOf('yunet', view({ costs: [YUNET_HERE] }))).toEqual({ seconds: 0.009, source: 'measured' });
  });
  it('is estimated from the benchmark at the speed of these workers', () => {
    const cost = costOf('haar', view({ costs: [YUNET_HERE] }));
    expect(cost?.source).toBe('estimated');
    expect(cost?.seconds).toBeCloseTo(0.016 * 4.5);
  });
  it('is the benchmark’s while nothing was computed here', () => {
    expect(costOf('haar', view())).toEqual({ seconds: 0.016, source: 'benchmark' });
  });
  it('is never invented', () => {
    expect(costOf('plates', view({ costs: [YUNET_HERE] }))).toBeNull();
    expect(costOf('yunet,plates', view())).toBeNull();
  });
  it('of several is that of all of them, unless it was measured', () => {
    expect(costOf('yunet,haar:vote', view())?.seconds).toBeCloseTo(0.018);
    const both = { model: 'yunet@ebafce4e,haar@0f7d4527:vote', seconds: 0.05, frames: 30 };
    expect(costOf('yunet,haar:vote', view({ costs: [both] }))).toEqual({ seconds: 0.05, source: 'measured' });
  });
});

describe('the price of a switch', () => {
  const nodes = [worker('a'), worker('b')];
  it('is told against the present load', () => {
    const costs = [YUNET_HERE, { model: 'haar@0f7d4527', seconds: 0.014, frames: 100 }];
    expect(priceOf('haar', CLUSTER, view({ costs }), nodes)).toEqual({
      words:
        'About 14 ms per frame instead of 9.0 ms. Capacity of 2 workers: 140 frames per second; load now: 120.',
      from: 'Measured by these workers.',
      tooMuch: false,
    });
  });
  it('says when the workers would not keep up, and how many would', () => {
    const costs = [YUNET_HERE, { model: 'haar@0f7d4527', seconds: 0.05, frames: 100 }];
    const price = priceOf('haar', CLUSTER, view({ costs }), nodes);
    expect(price?.tooMuch).toBe(true);
    expect(price?.words).toContain(
      'About 50 ms per frame instead of 9.0 ms. Capacity of 2 workers: 40 frames per second; load now: 120. Frames would wait or be dropped: 6 workers would keep up, each with a core of its own.',
    );
    expect(price?.words).toContain(
      'About 50 ms per frame instead of 9.0 ms. Capacity of 2 workers: 40 frames per second; load now: 120. Frames would wait or be dropped: 6 workers would keep up, each with a core of its own.',
    );
  });
  it('does not compare this machine with another', () => {
    expect(priceOf('haar', CLUSTER, view(), nodes)?.words).not.toContain('instead of');
    expect(priceOf('haar', CLUSTER, view(), nodes)?.from).toContain('another machine');
  });
  it('is said not to be known', () => {
    expect(priceOf('plates', CLUSTER, view(), nodes)?.words).toBe('The cost of plates is not known yet.');
  });
  it('leaves out workers that the switch does not concern', () => {
    const batch = worker('c', { lane: 'batch', fps: 500 });
    const desired = { revision: 1, cluster: null, lanes: { batch: 'haar' }, cameras: {} };
    const lost = worker('d', { state: 'lost' });
    expect(loadOf(CLUSTER, view({ desired }), [...nodes, batch, lost])).toEqual({
      workers: 2,
      rate: 120,
      model: 'yunet',
    });
    expect(loadOf({ lane: 'batch', camera: null }, view({ desired }), [...nodes, batch]).rate).toBe(500);
  });
});

describe('the way back', () => {
  const last = { lane: null, camera: null, before: 'yunet', after: 'haar', time: 1 };
  it('leads to what was before, while the switch holds', () => {
    const desired = { revision: 2, cluster: 'haar', lanes: {}, cameras: {} };
    expect(wayBack(view({ desired, last }))).toEqual({ level: CLUSTER, to: 'yunet' });
  });
  it('is none once something else is desired', () => {
    expect(wayBack(view({ last }))).toBeNull();
    expect(wayBack(view())).toBeNull();
  });
});

it('writes specifications as the gateway does', () => {
  expect(specification(['yunet'], 'vote')).toBe('yunet');
  expect(specification(['yunet', 'haar'], 'best')).toBe('yunet,haar');
  expect(specification(['yunet', 'haar'], 'vote')).toBe('yunet,haar:vote');
});
