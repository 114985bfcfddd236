/** Which cameras stand on which page of a wall that turns its pages. Pure. */

import { type GridRoom, layOut } from '../lib/grid';

/** How many tiles of at least the room's minimum fit in `height` pixels without scrolling; one at least. */
export function capacity(room: GridRoom, height: number): number {
  const columns = Math.max(1, Math.floor((room.width + room.gap) / (room.minimum + room.gap)));
  const width = Math.floor((room.width - room.gap * (columns - 1)) / columns);
  const tile = Math.round(width / room.aspect) + room.caption;
  const rows = Math.max(1, Math.floor((height + room.gap) / (tile + room.gap)));
  // A row that nearly fits is worth slightly lower tiles: the grid says whether they would be too low.
  const more = columns * (rows + 1);
  const fits = room.height !== null && layOut({ ...room, height, count: more }).height <= height;
  return fits ? more : columns * rows;
}

export interface WallPage {
  /** What the cameras have in common, if they are in sections. */
  title: string | null;
  ids: readonly string[];
}

/** The share of a page that cameras in trouble may take from the others. */
const MOST_TROUBLE = 0.5;

/**
 * Pages of at most `room` cameras. Those in trouble are on every page, first; where they are more than half of it, they
 * take turns as well. Every other camera is on exactly one page, with none of another section.
 */
export function pagesOf(
  trouble: readonly string[],
  sections: readonly { title: string | null; ids: readonly string[] }[],
  room: number,
): WallPage[] {
  const others = sections.filter(({ ids }) => ids.length > 0);
  if (others.length === 0) return chunks(trouble, room).map((ids) => ({ title: null, ids }));
  const most = room === 1 ? 0 : Math.max(1, Math.floor(room * MOST_TROUBLE));
  const kept = chunks(trouble, most);
  const share = room - (kept[0]?.length ?? 0);
  const turns = others.flatMap(({ title, ids }) => chunks(ids, share).map((part) => ({ title, ids: part })));
  // A screen with room for one camera shows them one after the other, those in trouble first.
  if (most === 0) return [...trouble.map((id) => ({ title: null, ids: [id] })), ...turns];
  return Array.from({ length: Math.max(turns.length, kept.length) }, (_, turn) => {
    const { title = null, ids = [] } = turns[turn % turns.length] ?? {};
    return { title, ids: [...(kept[turn % Math.max(1, kept.length)] ?? []), ...ids] };
  });
}

function chunks(ids: readonly string[], size: number): (readonly string[])[] {
  if (size < 1) return [];
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, part) =>
    ids.slice(part * size, (part + 1) * size),
  );
}
