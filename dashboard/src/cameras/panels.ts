/** The charts of a camera. Pure. */

import type { ChartPanel } from '../lib/charts/panel';

const SENT = /* @wc-include */ 'sent';
const RESULTS = /* @wc-include */ 'results';

const named = (expr: string, name: string) => `label_replace(${expr}, "of", "${name}", "", "")`;

/** A camera's id has no character that PromQL would read as anything else. */
export function cameraPanels(camera: string): ChartPanel[] {
  const of = `{camera_id="${camera}"}`;
  const rate = (metric: string) => `rate(${metric}${of}[1m])`;
  return [
    {
      title: 'Rate',
      description: 'Frames that its producer sent, and results that gateways got',
      unit: 'fps',
      expr: [
        named(`sum(${rate('producer_frames_sent_total')})`, SENT),
        named(`max(${rate('framefleet_camera_result_age_seconds_count')})`, RESULTS),
      ].join(' or '),
    },
    {
      title: 'Latency',
      description: 'Capture to gateway, mean over a minute',
      unit: 'seconds',
      expr: `sum(${rate('framefleet_camera_result_age_seconds_sum')}) / sum(${rate('framefleet_camera_result_age_seconds_count')})`,
    },
    {
      title: 'Dropped frames',
      description: 'Frames that did not reach the queue, by reason',
      unit: '/s',
      expr: `sum(${rate('producer_frames_dropped_total')}) by (reason)`,
    },
    {
      title: 'Skipped frames',
      description: 'Frames that showed nothing new or could not be read, by reason',
      unit: '/s',
      expr: `sum(${rate('producer_frames_skipped_total')}) by (reason)`,
    },
  ];
}
