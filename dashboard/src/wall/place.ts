/** What the wall's address says: which cameras it shows and how, so that a layout is saved by its link. Pure. */

import type { PageAddress } from '../lib/address';
import { CAMERA_STATES, type CameraState } from '../lib/protocol';

export const SIZES = ['small', 'medium', 'large', 'huge'] as const;
export type TileSize = (typeof SIZES)[number];

export const ORDERS = ['trouble', 'name'] as const;
export type Order = (typeof ORDERS)[number];

export const SECTIONS = ['group', 'prefix'] as const;
export type Sectioning = (typeof SECTIONS)[number];

/** Seconds. */
export const SHORTEST_TURN = 5;
export const LONGEST_TURN = 3600;
/** Of a wall screen whose address does not say how long a page stays. */
export const USUAL_TURN = 20;

export interface WallPlace {
  q: string;
  state: CameraState | null;
  group: string | null;
  size: TileSize;
  order: Order;
  /** By what the cameras stand together; `null`: not at all. */
  by: Sectioning | null;
  /** Seconds that a page of cameras stays; `null`: all are on one page, which scrolls. */
  rotate: number | null;
  /** As a screen on a wall shows it: nothing but cameras. */
  wall: boolean;
}

/** 5 to 3600, which complaints on the address tell. */
const TURN = /^([5-9]|[1-9]\d{1,2}|[12]\d{3}|3[0-5]\d{2}|3600)$/;

export const WALL: PageAddress<WallPlace> = {
  path: '/wall',
  empty: {
    q: '',
    state: null,
    group: null,
    size: 'medium',
    order: 'trouble',
    by: null,
    rotate: null,
    wall: false,
  },
  parameters: {
    q: null,
    state: CAMERA_STATES,
    group: null,
    size: SIZES,
    order: ORDERS,
    by: SECTIONS,
    rotate: TURN,
    wall: ['1'],
  },
  read(parameters) {
    const turn = parameters.get('rotate') ?? '';
    const wall = parameters.has('wall') && ['', '1'].includes(parameters.get('wall') ?? '');
    return {
      q: parameters.get('q') ?? '',
      state: CAMERA_STATES.find((state) => state === parameters.get('state')) ?? null,
      group: parameters.get('group') || null,
      size: SIZES.find((size) => size === parameters.get('size')) ?? 'medium',
      order: ORDERS.find((order) => order === parameters.get('order')) ?? 'trouble',
      by: SECTIONS.find((by) => by === parameters.get('by')) ?? null,
      rotate: TURN.test(turn) ? Number(turn) : wall ? USUAL_TURN : null,
      wall,
    };
  },
  write({ q, state, group, size, order, by, rotate, wall }, parameters) {
    if (wall) parameters.set('wall', '1');
    if (q !== '') parameters.set('q', q);
    if (state !== null) parameters.set('state', state);
    if (group !== null) parameters.set('group', group);
    if (size !== 'medium') parameters.set('size', size);
    if (order !== 'trouble') parameters.set('order', order);
    if (by !== null) parameters.set('by', by);
    if (rotate !== null && !(wall && rotate === USUAL_TURN)) parameters.set('rotate', String(rotate));
  },
};
