import { describe, expect, it } from 'vitest';
import { readWhyView } from '../src/lib/contract.gen';
import { EVENTS } from '../src/events/place';
import { readPlace, writePlace } from '../src/lib/address';
import { PLACES, VERDICTS, hopLines, readFrameId, whyEvent, whyFrame } from '../src/lib/why';

const hop = { hop: 'captured', time: 1_795_216_000, seconds: 0, node_id: null, detail: null } as const;

describe('the way of a frame', () => {
  it('shows ages from its capture, and by whom', () => {
    const lines = hopLines([
      hop,
      { ...hop, hop: 'queued', seconds: 0.031, detail: 'until a worker took it' },
      { ...hop, hop: 'computed', seconds: 1.25, node_id: 'n-1', detail: 'yunet: 2 detections' },
      { ...hop, hop: 'dead_letter', seconds: null },
    ]);
    expect(lines.map(({ name, age, by, detail }) => [name, age, by, detail])).toEqual([
      ['Captured', '0 ms', '', ''],
      ['Taken by a worker', '+31 ms', '', ''],
      ['Computed', '+1.3 s', 'n-1', 'yunet: 2 detections'],
      ['Moved to the dead letters', '', '', ''],
    ]);
  });

  it('is read strictly, with a word for every verdict and witness', () => {
    const view = {
      frame_id: 'f',
      camera_id: null,
      verdict: 'unknown',
      words: 'Nobody has seen it.',
      reason: 'not_seen',
      remedy: null,
      hops: [hop],
      witnesses: [{ place: 'queues', state: 'nothing', words: 'no frame waits' }],
      links: [],
    };
    const read = readWhyView(view);
    expect(read && VERDICTS[read.verdict].level).toBe('unknown');
    expect(read?.witnesses.map(({ place }) => PLACES[place])).toEqual(['Queues']);
    expect(readWhyView({ ...view, verdict: 'odd' })).toBeNull();
    expect(readWhyView({ ...view, hops: [{ hop: 'odd' }] })?.hops).toEqual([]);
  });

  it.each(['gate-3:1795210000000:4711', 'a b&frame_id=c#d?e/../%2F', 'é"<b>'])('asks for %s', (id) => {
    const url = new URL(whyFrame(id), 'http://x');
    expect([url.pathname, url.searchParams.get('frame_id')]).toEqual(['/api/why', id]);
    const path = writePlace(EVENTS, { ...EVENTS.empty, frame: id });
    expect(readPlace(EVENTS, new URL(path, 'http://x'))).toEqual({ ...EVENTS.empty, frame: id });
  });

  it('takes an id as it was pasted', () => {
    expect(whyEvent(17)).toBe('/api/events/17/why');
    expect(readFrameId('  gate-3:1:2\n')).toBe('gate-3:1:2');
    expect([null, '', '  ', 'x'.repeat(1001)].map(readFrameId)).toEqual([null, null, null, null]);
  });
});
