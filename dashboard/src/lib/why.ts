/** What became of a frame, in words and shapes. Pure. */

import type { HopView, WhyView, WitnessView } from './contract.gen';
import { duration, plain } from './format';
import type { Level } from './health';

export const VERDICTS: Record<WhyView['verdict'], { words: string; level: Level }> = {
  computed: { words: 'Computed', level: 'good' },
  expired: { words: 'Expired: too old', level: 'warning' },
  dead_lettered: { words: 'Dead letter', level: 'bad' },
  retried_waiting: { words: 'Failed, waits for another attempt', level: 'warning' },
  repeated: { words: 'Several frames share this id', level: 'warning' },
  unknown: { words: 'Not seen', level: 'unknown' },
};

const HOPS: Record<HopView['hop'], string> = {
  captured: 'Captured',
  queued: 'Taken by a worker',
  computed: 'Computed',
  recorded: 'Recorded',
  expired: 'Too old',
  dead_letter: 'Moved to the dead letters',
};

export const PLACES: Record<WitnessView['place'], string> = {
  history: 'History',
  dead_letters: 'Dead letters',
  camera: 'Camera',
  queues: 'Queues',
  metrics: 'Prometheus',
  logs: 'Logs',
};

/** A hop as one line of a list: its name, the frame's age there, by whom and what. */
export interface HopLine {
  name: string;
  age: string;
  /** Unix seconds. */
  time: number | null;
  by: string;
  /** Empty where it says no more than the name. */
  detail: string;
}

export const hopLines = (hops: readonly HopView[]): HopLine[] =>
  hops.map(({ hop, seconds, time, node_id, detail }) => ({
    name: HOPS[hop],
    age: seconds === null ? '' : hop === 'captured' ? plain(duration(0)) : `+${plain(duration(seconds))}`,
    time,
    by: node_id ?? '',
    detail: hop === 'queued' ? '' : (detail ?? ''),
  }));

/** The question as the gateway takes it. */
export const whyFrame = (frameId: string): string => `/api/why?${new URLSearchParams({ frame_id: frameId })}`;

export const whyEvent = (eventId: number): string => `/api/events/${eventId}/why`;

/** An id as somebody typed or pasted it; `null` for nothing, or for more than an id can be. */
export function readFrameId(text: string | null): string | null {
  const id = text?.trim() ?? '';
  return id === '' || id.length > 1000 ? null : id;
}
