/** Expressions to begin with: a few that teach, then one for each metric (docs/metrics.md). Pure. */

import METRICS from './metrics.gen.json';

export interface Example {
  words: string;
  query: string;
  /** The metric that it is of; `null` for those to begin with. */
  metric: string | null;
}

export interface ExampleGroup {
  title: string;
  examples: Example[];
}

const FIRST: Example[] = [
  { metric: null, words: 'Frames computed per second', query: 'sum(rate(cv_frames_processed_total[1m]))' },
  {
    metric: null,
    words: 'Time within which 95 % of frames are computed',
    query: 'histogram_quantile(0.95, sum(rate(cv_processing_seconds_bucket[5m])) by (le))',
  },
  {
    metric: null,
    words: 'Failed frames per second, by node and reason',
    query: 'sum(rate(cv_frames_failed_total[5m])) by (node_id, reason)',
  },
  { metric: null, words: 'Messages in all queues of RabbitMQ', query: 'rabbitmq_queue_messages' },
  {
    metric: null,
    words: 'The five cameras that send most frames',
    query: 'topk(5, sum(rate(producer_frames_sent_total[5m])) by (camera_id))',
  },
  { metric: null, words: 'Services that can be scraped (1) or not (0)', query: 'up' },
];

const TITLES: Record<string, string> = {
  worker: 'Worker',
  producer: 'Producer',
  gateway: 'Gateway',
};
const titled = (service: string) => TITLES[service] ?? 'Every service';

/** The examples that have all words of the search in their words, metric or query; groups without any are left out. */
export function examplesFor(search: string): ExampleGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ words: meaning, query, metric }: Example) => {
    const text = `${meaning} ${query} ${metric ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const groups = new Map<string, Example[]>([['First steps', FIRST.filter(fits)]]);
  for (const { service, name, meaning, query } of METRICS) {
    const example = { words: meaning, query, metric: name };
    if (!fits(example)) continue;
    const title = titled(service);
    groups.set(title, [...(groups.get(title) ?? []), example]);
  }
  return [...groups]
    .map(([title, examples]) => ({ title, examples }))
    .filter(({ examples }) => examples.length > 0);
}
