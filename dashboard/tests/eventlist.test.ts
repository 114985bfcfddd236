import { describe, expect, it } from 'vitest';
import { Refused } from '../src/lib/api';
import { EventList } from '../src/events/eventlist.svelte';
import type { EventPage } from '../src/events/events';
import { page } from './helpers';

/** A list and what it asks for; the test answers. */
function begin() {
  const asked: {
    parameters: URLSearchParams;
    answer: (page: EventPage) => void;
    refuse: (error: Error) => void;
  }[] = [];
  const list = new EventList(
    (parameters) => new Promise((answer, refuse) => asked.push({ parameters, answer, refuse })),
  );
  const next = () => {
    const one = asked.shift();
    if (one === undefined) throw new Error('nothing was asked for');
    return one;
  };
  const ids = () => list.items.map(({ event_id }) => event_id);
  const shown = async (ids: number[], cursor: string | null) => {
    const showing = list.show(() => new URLSearchParams('camera=a'));
    next().answer(page(ids, cursor));
    await showing;
  };
  return { list, asked, next, ids, shown };
}

describe('the list of events', () => {
  it('asks with the filter, then page by page', async () => {
    const { list, next, ids, shown } = begin();
    await shown([5, 4], 'c4');
    expect([list.phase, list.older]).toEqual(['ready', 'more']);
    const more = list.more();
    expect(list.older).toBe('loading');
    const { parameters, answer } = next();
    expect(parameters.toString()).toBe('camera=a&limit=50&cursor=c4');
    answer(page([3], null));
    await more;
    expect(ids()).toEqual([5, 4, 3]);
    expect(list.older).toBe('none');
  });

  it('shows what is new at once while nobody reads', async () => {
    const { list, next, ids, shown } = begin();
    await shown([5, 4], 'c4');
    const poll = list.poll(false);
    next().answer(page([6, 5, 4], 'c4'));
    await poll;
    expect(ids()).toEqual([6, 5, 4]);
    expect(list.held).toBe(0);
  });

  it('only counts what is new while somebody reads, and shows it when asked', async () => {
    const { list, next, ids, shown } = begin();
    await shown([5, 4], 'c4');
    const poll = list.poll(true);
    next().answer(page([7, 6, 5, 4], 'c4'));
    await poll;
    expect(ids()).toEqual([5, 4]);
    expect(list.held).toBe(2);
    list.reveal();
    expect(ids()).toEqual([7, 6, 5, 4]);
    expect(list.held).toBe(0);
  });

  it('forgets what was asked for an earlier filter', async () => {
    const { list, next, ids } = begin();
    const first = list.show(() => new URLSearchParams('camera=a'));
    const late = next();
    const second = list.show(() => new URLSearchParams('camera=b'));
    next().answer(page([2], null));
    late.answer(page([1], null));
    await Promise.all([first, second]);
    expect(ids()).toEqual([2]);
  });

  it('keeps the events of the filter before until those of this one are there', async () => {
    const { list, next, ids, shown } = begin();
    await shown([5], null);
    const second = list.show(() => new URLSearchParams('camera=b'));
    expect([list.phase, ids()]).toEqual(['stale', [5]]);
    next().answer(page([], null));
    await second;
    expect([list.phase, ids()]).toEqual(['ready', []]);
  });

  it('drops a page of older ones that belongs to a list that has begun anew', async () => {
    const { list, asked, ids, shown } = begin();
    await shown([2, 1], 'c1');
    const more = list.more();
    const poll = list.poll(false);
    asked[1]?.answer(page([9, 8], 'c8'));
    await poll;
    asked[0]?.answer(page([0], null));
    await more;
    expect(ids()).toEqual([9, 8]);
    expect(list.older).toBe('more');
  });

  it('says why there is nothing, and recovers', async () => {
    const { list, next, ids } = begin();
    const showing = list.show(() => new URLSearchParams());
    next().refuse(new Refused(503, 'the history cannot be read: no such file'));
    await showing;
    expect([list.phase, list.problem]).toEqual(['failed', 'the history cannot be read: no such file']);
    const poll = list.poll(true);
    next().answer(page([1], null));
    await poll;
    expect([list.phase, list.problem, ids()]).toEqual(['ready', null, [1]]);
  });

  it('keeps what it has when the gateway is away', async () => {
    const { list, next, ids, shown } = begin();
    await shown([5, 4], 'c4');
    const poll = list.poll(false);
    next().refuse(new TypeError('network'));
    await poll;
    expect([list.phase, list.problem, ids()]).toEqual(['ready', 'the gateway does not answer', [5, 4]]);
    const more = list.more();
    next().refuse(new TypeError('network'));
    await more;
    expect(list.older).toBe('failed');
    const again = list.more();
    next().answer(page([3], null));
    await again;
    expect(ids()).toEqual([5, 4, 3]);
  });
});
