/** Events as the gateway tells them. */

import type { EventView } from '../src/lib/contract.gen';
import type { EventPage } from '../src/events/events';

export const event = (event_id: number, change: Partial<EventView> = {}): EventView => ({
  event_id,
  camera_id: 'gate-3',
  name: null,
  group: null,
  start: 1_795_600_000 + event_id * 10,
  end: 1_795_600_005 + event_id * 10,
  open: false,
  frames: 5,
  faces: 1,
  confidence: 0.9,
  model: 'haar@0',
  thumbnail: null,
  picture: null,
  frame: null,
  seen_at: null,
  seen_by: null,
  feedback: null,
  note: null,
  feedback_at: null,
  feedback_by: null,
  description: null,
  description_model: null,
  ...change,
});

export const page = (ids: number[], next: string | null): EventPage => ({
  items: ids.map((id) => event(id)),
  next,
});
