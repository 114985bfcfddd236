/** The charts of the page: each worker over time. Pure. */

import type { ChartPanel } from '../lib/charts/panel';

export const PANELS: readonly ChartPanel[] = [
  {
    title: 'Rate by worker',
    description: 'Results confirmed per second, over a minute',
    unit: 'fps',
    expr: 'sum(rate(cv_frames_processed_total[1m])) by (node_id)',
  },
  {
    title: 'Latency p95 by worker',
    description: 'Capture to confirmed result: 95 % of the frames take no longer',
    unit: 'seconds',
    expr: 'histogram_quantile(0.95, sum(rate(cv_frame_age_seconds_bucket[1m])) by (node_id, le))',
  },
  {
    title: 'Busy share by worker',
    description: 'Time that a worker computes, over a minute',
    unit: 'ratio',
    expr: 'sum(rate(cv_busy_seconds_total[1m])) by (node_id)',
  },
];
