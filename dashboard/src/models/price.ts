/** What a model costs for each frame, and what that means for the workers' present load; in words. Pure. */

import { plural } from '../lib/plural';
import type { ModelsView, NodeView } from '../lib/contract.gen';
import { digits, fixed, written } from '../lib/format';
import { type Level, plainModel } from '../lib/models';

/** `measured` by this cluster's workers; `estimated` from that and the benchmark's ratio; `benchmark`: on its machine. */
export type Source = 'measured' | 'estimated' | 'benchmark';

export interface Cost {
  /** Of a worker, for one frame. */
  seconds: number;
  source: Source;
}

const namesOf = (spec: string): string[] => (spec.split(':')[0] ?? '').split(',');

function measured(spec: string, { costs }: ModelsView): number | null {
  const found = costs.filter(({ model }) => plainModel(model) === spec).sort((a, b) => b.frames - a.frames);
  return found[0]?.seconds ?? null;
}

const benchmark = (name: string, { models }: ModelsView): number | null =>
  models.find((model) => model.name === name)?.benchmark?.seconds ?? null;

/** How much slower this cluster is than the benchmark's machine, by the models that both know; `null`: none is. */
function slowness(view: ModelsView): number | null {
  const ratios = view.models.flatMap(({ name }) => {
    const [here, there] = [measured(name, view), benchmark(name, view)];
    return here === null || there === null || there <= 0 ? [] : [here / there];
  });
  return ratios.length === 0 ? null : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

/** The cost of a specification; `null` where nobody has measured it. Several models cost as much as all together. */
export function costOf(spec: string, view: ModelsView): Cost | null {
  const whole = measured(spec, view);
  if (whole !== null) return { seconds: whole, source: 'measured' };
  const names = namesOf(spec);
  const here = names.map((name) => measured(name, view));
  if (here.every((seconds) => seconds !== null)) return { seconds: sum(here), source: 'estimated' };
  const factor = slowness(view);
  const there = names.map((name, at) => here[at] ?? benchmarkHere(name, view, factor));
  if (!there.every((seconds) => seconds !== null)) return null;
  return { seconds: sum(there), source: factor === null ? 'benchmark' : 'estimated' };
}

function benchmarkHere(name: string, view: ModelsView, factor: number | null): number | null {
  const seconds = benchmark(name, view);
  return seconds === null ? null : seconds * (factor ?? 1);
}

export interface Load {
  /** Running workers that the switch concerns. */
  workers: number;
  /** Frames that they compute each second. */
  rate: number;
  /** The model that most of them use. */
  model: string | null;
}

/** The load of a lane's workers, or of those that the cluster's model decides for. A camera's frames go to all. */
export function loadOf({ lane }: Level, view: ModelsView, nodes: readonly NodeView[]): Load {
  const concerned = nodes.filter(
    (node) =>
      node.state === 'running' &&
      (lane === null ? !(node.lane !== null && node.lane in view.desired.lanes) : node.lane === lane),
  );
  const used = new Map<string, number>();
  for (const { model } of concerned) {
    if (model !== null) used.set(plainModel(model), (used.get(plainModel(model)) ?? 0) + 1);
  }
  return {
    workers: concerned.length,
    rate: concerned.reduce((rate, { fps }) => rate + (fps ?? 0), 0),
    model: [...used].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null,
  };
}

export interface Price {
  words: string;
  /** Where the figures are from. */
  from: string;
  /** The workers could not keep up. */
  tooMuch: boolean;
}

/** A figure of two significant digits is all that such a price can promise. */
const milliseconds = (seconds: number): string => {
  const value = seconds * 1000;
  return value >= 9.95 ? `${written(Number(value.toPrecision(2)))} ms` : `${fixed(value, 1)} ms`;
};
const perSecond = (rate: number): string =>
  rate >= 10 ? written(Number(rate.toPrecision(2))) : digits(rate);

const FROM: Record<Source, string> = {
  measured: 'Measured by these workers.',
  estimated: 'Estimated from the benchmark’s ratio and the speed of these workers.',
  benchmark: 'From the benchmark, on another machine: these workers have computed nothing to compare with.',
};

/** What switching to `spec` costs; `null` for a level's own setting, of which nobody knows what it will be. */
export function priceOf(
  spec: string,
  level: Level,
  view: ModelsView,
  nodes: readonly NodeView[],
): Price | null {
  const cost = costOf(spec, view);
  if (cost === null) {
    return {
      words: `The cost of ${spec} is not known yet.`,
      from: 'Switch one camera to it first: the cost is known after 20 frames.',
      tooMuch: false,
    };
  }
  const load = loadOf(level, view, nodes);
  const now = load.model === null || load.model === spec ? null : costOf(load.model, view);
  const each = milliseconds(cost.seconds);
  const instead = now === null || now.source === 'benchmark' ? null : milliseconds(now.seconds);
  if (level.camera !== null) {
    const words =
      instead === null
        ? `About ${each} per frame of this camera.`
        : `About ${each} per frame of this camera instead of ${instead}.`;
    return { words, from: FROM[cost.source], tooMuch: false };
  }
  const frame =
    instead === null ? `About ${each} per frame.` : `About ${each} per frame instead of ${instead}.`;
  const most = load.workers / cost.seconds;
  const tooMuch = load.rate > most;
  const workers = plural(load.workers, ['# worker', '# workers']);
  const can = `Capacity of ${workers}: ${perSecond(most)} frames per second; load now: ${perSecond(load.rate)}.`;
  const need = tooMuch
    ? plural(Math.ceil(load.rate * cost.seconds), [
        'Frames would wait or be dropped: # worker would keep up, with a core of its own.',
        'Frames would wait or be dropped: # workers would keep up, each with a core of its own.',
      ])
    : '';
  return { words: [frame, can, need].filter(Boolean).join(' '), from: FROM[cost.source], tooMuch };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** `yunet, haar:vote` as the gateway writes it; `best` is what it takes where nothing is said. */
export function specification(names: readonly string[], merge: string): string {
  return names.length < 2 || merge === 'best' ? names.join(',') : `${names.join(',')}:${merge}`;
}

/** What is desired of a level now; `null`: nothing, the next level decides. */
export function desiredOf({ lane, camera }: Level, { desired }: ModelsView): string | null {
  if (camera !== null) return desired.cameras[camera] ?? null;
  return lane === null ? desired.cluster : (desired.lanes[lane] ?? null);
}

/** The newest switch if it still holds, so that it can be taken back. */
export function wayBack(view: ModelsView): { level: Level; to: string | null } | null {
  const { last } = view;
  if (last === null) return null;
  const level = { lane: last.lane, camera: last.camera };
  return desiredOf(level, view) === last.after && last.before !== last.after
    ? { level, to: last.before }
    : null;
}

/** `the cluster`, `the lane batch`, `the camera gate-3`. */
export const levelWords = ({ lane, camera }: Level): string =>
  camera !== null ? `the camera ${camera}` : lane !== null ? `the lane ${lane}` : 'the cluster';
