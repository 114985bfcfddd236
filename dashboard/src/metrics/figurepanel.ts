/** The chart that a card turns into. Pure. */

import type { ChartPanel } from '../lib/charts/panel';
import type { FigureName } from '../lib/figures';

type Queries = Readonly<Record<string, string>>;

const PANELS: Record<FigureName, Omit<ChartPanel, 'expr'>> = {
  processingRate: { title: 'Processing rate', unit: 'fps' },
  latency: { title: 'Latency p50 and p95', unit: 'seconds' },
  queueDepth: { title: 'Queue depth', unit: /* @wc-include */ 'frames' },
  notComputed: { title: 'Dropped or expired', unit: 'ratio' },
  errors: { title: 'Errors', unit: '/s' },
};

/** One expression for two: each is told by a label. */
const labelled = (query: string, name: string) => `label_replace(${query}, "quantile", "${name}", "", "")`;

function expressionOf(figure: FigureName, queries: Queries): string | null {
  if (figure !== 'latency') return queries[figure] ?? null;
  const { latencyP50, latencyP95 } = queries;
  if (latencyP50 === undefined || latencyP95 === undefined) return null;
  return [labelled(latencyP50, 'p50'), labelled(latencyP95, 'p95')].join(' or ');
}

/** The panel of a figure, with the gateway's own PromQL; `null` until the gateway has told it. */
export function figurePanel(
  figure: FigureName,
  queries: Queries,
  objective: number | null,
): ChartPanel | null {
  const expr = expressionOf(figure, queries);
  return expr === null ? null : { ...PANELS[figure], expr, objective };
}
