/** The models that the cluster has and the one that operators desire, in words. Pure. */

import type { ModelView, ModelsView, NodeView } from './contract.gen';
import { plural } from './plural';

/** Stands for no model in particular: each worker's own setting decides. */
export const DEFAULT = 'default';

/** Whose model is meant: a lane's, a camera's, or, with neither, the cluster's. */
export interface Level {
  lane: string | null;
  camera: string | null;
}

export const CLUSTER: Level = { lane: null, camera: null };

export interface Choice {
  value: string;
  label: string;
}

export interface Progress {
  running: number;
  settled: number;
  /** Each error once, with the nodes that report it. */
  errors: { words: string; nodes: string[] }[];
}

/** `a, b and 3 more`. */
export function some(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${rest} more`;
}

/** `yunet@ebafce4e,haar@0f7d4527:vote` without the digests. */
export const plainModel = (model: string): string => model.replace(/@[0-9a-f]+/g, '');

const modelOf = (node: NodeView): string => plainModel(node.model ?? node.detector ?? 'an unknown model');

/** The models of running nodes and how many use each, the most used first. */
export function inUse(nodes: readonly NodeView[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    if (node.state === 'running') counts.set(modelOf(node), (counts.get(modelOf(node)) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
}

/** Tells why a model may disappoint whoever chooses it, or `null`. */
export function caveat(model: ModelView): string | null {
  const states = Object.values(model.states);
  const of = (state: string) => states.filter((each) => each === state).length;
  if (of('failed') > 0)
    return of('failed') === states.length
      ? 'does not load'
      : plural(of('failed'), ['does not load on # worker', 'does not load on # workers']);
  if (model.conflict) return 'workers have different files';
  if (of('missing') > 0)
    return of('missing') === states.length
      ? 'to be downloaded'
      : plural(of('missing'), ['to be downloaded by # worker', 'to be downloaded by # workers']);
  return null;
}

/** The models that can be chosen for the cluster; the one that is desired now is always among them. */
export function choices({ models, desired }: ModelsView): Choice[] {
  const known = models.map((model): Choice => {
    const words = caveat(model);
    return { value: model.name, label: words === null ? model.name : `${model.name} – ${words}` };
  });
  const all = [{ value: DEFAULT, label: 'Worker default' }, ...known];
  const present = desired.cluster;
  return present === null || all.some(({ value }) => value === present)
    ? all
    : [...all, { value: present, label: present }];
}

/** Tells how far running nodes are with revision `revision`. A node's own word counts, which may be newer than ours. */
export function progress(nodes: readonly NodeView[], revision: number): Progress {
  const running = nodes.filter((node) => node.state === 'running');
  const errors = new Map<string, string[]>();
  for (const { node_id, model_error: words } of running) {
    if (words !== null) errors.set(words, [...(errors.get(words) ?? []), node_id]);
  }
  return {
    running: running.length,
    settled: running.filter((node) => node.settled && node.desired >= revision).length,
    errors: [...errors].map(([words, names]) => ({ words, nodes: names })),
  };
}

/** Names the lanes and cameras that have models of their own: `lane batch (haar), 2 cameras`. */
export function exceptions({ desired }: ModelsView): string | null {
  const lanes = Object.entries(desired.lanes).map(([lane, model]) => `lane ${lane} (${model})`);
  const cameras = Object.keys(desired.cameras).length;
  return (
    [...lanes, ...(cameras === 0 ? [] : [plural(cameras, ['# camera', '# cameras'])])].join(', ') || null
  );
}

/**
 * Who has decided which model computes a camera's frames, and for which. `node`: the worker of its newest result, by
 * which its lane is known; `null` while there is none.
 */
export function modelOrigin({ desired, nodes }: ModelsView, camera: string, node: string | null): string {
  const own = desired.cameras[camera];
  if (own !== undefined) return `desired for this camera: ${own}`;
  const lane = nodes.find(({ node_id }) => node_id === node)?.lane;
  const lanes = Object.entries(desired.lanes);
  if (lane === undefined && lanes.length > 0) {
    const cluster = desired.cluster ?? 'the worker default';
    return `desired by lane: ${lanes.map(([name, model]) => `${name} ${model}`).join(', ')}; otherwise ${cluster}`;
  }
  const ofLane = lane === undefined ? undefined : desired.lanes[lane];
  if (lane !== undefined && ofLane !== undefined) return `desired for the lane ${lane}: ${ofLane}`;
  if (desired.cluster !== null) return `desired for the cluster: ${desired.cluster}`;
  return lane === undefined ? 'the worker default' : `the worker default of the lane ${lane}`;
}

/** Says what switching the cluster to `model` does. */
export function consequence(model: string, models: ModelsView, nodes: readonly NodeView[]): string {
  const workers = nodes.filter(
    ({ state, lane }) => state === 'running' && !(lane !== null && lane in models.desired.lanes),
  ).length;
  const who = plural(workers, ['# worker', '# workers']);
  const what =
    model === DEFAULT
      ? `The worker default returns for ${who}. No frame is lost.`
      : `${model} is loaded and then used by ${who}. No frame is lost.`;
  const except = exceptions(models);
  return except === null ? what : `${what} Not affected: ${except}.`;
}

/** A remark on a running node's model, or `null`; `mixed`: not all nodes use the same; `revision`: desired. */
export function modelRemark(node: NodeView, mixed: boolean, revision: number): string | null {
  if (node.model_error !== null) return `keeps ${modelOf(node)}: the desired model does not load`;
  if (!node.settled && node.desired > revision)
    return `${modelOf(node)}, by a switch unknown to this gateway: switch again`;
  if (!node.settled) return `${modelOf(node)}, not switched yet`;
  return mixed ? modelOf(node) : null;
}
