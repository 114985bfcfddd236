import { describe, expect, it } from 'vitest';
import { type ModelView, type ModelsView, type NodeView, readNodeView } from '../src/lib/contract.gen';
import {
  caveat,
  choices,
  consequence,
  exceptions,
  inUse,
  modelOrigin,
  modelRemark,
  plainModel,
  progress,
  some,
} from '../src/lib/models';

function node(node_id: string, changes: Partial<NodeView> = {}): NodeView {
  const read = readNodeView({ node_id, state: 'running', model: 'yunet@ebafce4e', desired: 7 });
  if (read === null) throw new Error('no node');
  return { ...read, ...changes };
}

const model = (
  name: string,
  states: Record<string, string>,
  changes: Partial<ModelView> = {},
): ModelView => ({
  name,
  task: 'face',
  licence: null,
  size: null,
  benchmark: null,
  digests: [],
  conflict: false,
  states,
  errors: {},
  ...changes,
});

const cluster = (desired: Partial<ModelsView['desired']> = {}, models: ModelView[] = []): ModelsView => ({
  models,
  desired: { revision: 7, cluster: null, lanes: {}, cameras: {}, ...desired },
  nodes: [],
  costs: [],
  last: null,
});

it('names models without their digests', () => {
  expect(plainModel('yunet@ebafce4e')).toBe('yunet');
  expect(plainModel('yunet@ebafce4e,haar@0f7d4527:vote')).toBe('yunet,haar:vote');
});

it('names some of many', () => {
  expect(some(['a', 'b'], 2)).toBe('a, b');
  expect(some(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
});

it('counts what running nodes use, the most used first', () => {
  const nodes = [
    node('a', { model: 'haar@1' }),
    node('b'),
    node('c'),
    node('d', { state: 'lost', model: 'old@1' }),
  ];
  expect(inUse(nodes)).toEqual([
    ['yunet', 2],
    ['haar', 1],
  ]);
  expect(inUse([])).toEqual([]);
});

describe('progress', () => {
  it('is that of the running nodes', () => {
    const nodes = [
      node('a'),
      node('b', { settled: false, desired: 6 }),
      node('c', { state: 'lost', settled: false }),
    ];
    expect(progress(nodes, 7)).toEqual({ running: 2, settled: 1, errors: [] });
  });

  it('does not take the word on an earlier revision for one on this', () => {
    expect(progress([node('a')], 8).settled).toBe(0);
    expect(progress([node('a', { desired: 9 })], 8).settled).toBe(1);
  });

  it('says an error once, with the nodes that have it', () => {
    const bad = { settled: false, model_error: 'no file' };
    expect(
      progress([node('a', bad), node('b'), node('c', bad), node('d', { ...bad, model_error: 'other' })], 7)
        .errors,
    ).toEqual([
      { words: 'no file', nodes: ['a', 'c'] },
      { words: 'other', nodes: ['d'] },
    ]);
  });
});

describe('what can be chosen', () => {
  it.each<[string | null, ModelView]>([
    [null, model('m', { a: 'loaded', b: 'available' })],
    ['does not load', model('m', { a: 'failed' })],
    ['does not load on 1 worker', model('m', { a: 'failed', b: 'loaded' })],
    ['workers have different files', model('m', { a: 'loaded', b: 'loaded' }, { conflict: true })],
    ['to be downloaded', model('m', { a: 'missing', b: 'missing' })],
    ['to be downloaded by 1 worker', model('m', { a: 'loaded', b: 'missing' })],
  ])('comes with its caveat: %s', (words, info) => expect(caveat(info)).toBe(words));

  it('is every model and none, with what is desired among them', () => {
    const values = (models: ModelsView) => choices(models).map(({ value }) => value);
    const known = [model('haar', { a: 'loaded' }), model('yunet', { a: 'missing' })];
    expect(values(cluster({}, known))).toEqual(['default', 'haar', 'yunet']);
    expect(values(cluster({ cluster: 'yunet' }, known))).toEqual(['default', 'haar', 'yunet']);
    expect(values(cluster({ cluster: 'yunet,haar:vote' }, known))).toEqual([
      'default',
      'haar',
      'yunet',
      'yunet,haar:vote',
    ]);
    expect(choices(cluster({}, known))[2]?.label).toBe('yunet – to be downloaded');
  });
});

it('says who has models of their own', () => {
  expect(exceptions(cluster())).toBeNull();
  expect(exceptions(cluster({ lanes: { batch: 'haar' }, cameras: { a: 'x' } }))).toBe(
    'lane batch (haar), 1 camera',
  );
});

it('says what a switch does, with numbers, before it is made', () => {
  const nodes = [
    node('a', { lane: 'live' }),
    node('b', { lane: 'live' }),
    node('c', { lane: 'batch' }),
    node('d', { state: 'lost' }),
  ];
  expect(consequence('haar', cluster(), nodes)).toBe(
    'haar is loaded and then used by 3 workers. No frame is lost.',
  );
  expect(consequence('default', cluster({ lanes: { batch: 'haar' } }), nodes)).toBe(
    'The worker default returns for 2 workers. No frame is lost. Not affected: lane batch (haar).',
  );
  expect(consequence('haar', cluster({ cameras: { x: 'm', y: 'm' } }), nodes.slice(0, 1))).toBe(
    'haar is loaded and then used by 1 worker. No frame is lost. Not affected: 2 cameras.',
  );
});

it('says of a node what others do not share', () => {
  expect(modelRemark(node('a'), false, 7)).toBeNull();
  expect(modelRemark(node('a'), true, 7)).toBe('yunet');
  expect(modelRemark(node('a', { settled: false }), false, 8)).toBe('yunet, not switched yet');
  expect(modelRemark(node('a', { settled: false }), false, 6)).toContain(
    'yunet, by a switch unknown to this gateway: switch again',
  );
  expect(modelRemark(node('a', { settled: false, model_error: 'why' }), true, 7)).toBe(
    'keeps yunet: the desired model does not load',
  );
});

describe('who decides the model of a camera', () => {
  const at = (lane: string) => ({
    node_id: 'w-1',
    state: 'running' as const,
    lane,
    model: 'yunet',
    wanted: null,
    desired: 7,
    model_error: null,
    settled: true,
    todo: null,
  });
  const words = (desired: Partial<ModelsView['desired']>, node: string | null = 'w-1') =>
    modelOrigin({ ...cluster(desired), nodes: [at('batch')] }, 'gate', node);

  it('is the camera, then its lane, then the cluster, then the workers of its lane', () => {
    const lanes = { batch: 'haar', live: 'yunet' };
    expect(words({ cameras: { gate: 'x' }, lanes })).toBe('desired for this camera: x');
    expect(words({ lanes, cluster: 'y' })).toBe('desired for the lane batch: haar');
    expect(words({ lanes: { live: 'yunet' }, cluster: 'y' })).toBe('desired for the cluster: y');
    expect(words({ lanes: { live: 'yunet' } })).toBe('the worker default of the lane batch');
  });

  it('is told for all lanes while its own is unknown', () => {
    expect(words({ lanes: { live: 'yunet' } }, null)).toBe(
      'desired by lane: live yunet; otherwise the worker default',
    );
    expect(words({}, 'w-9')).toBe('the worker default');
    expect(words({ cluster: 'y' }, null)).toBe('desired for the cluster: y');
  });
});
