/** The arithmetic of the camera grid: the size of tiles, which of them to render, where arrows lead. */

import type { Rectangle } from './letterbox';

export interface GridRoom {
  /** Pixels. */
  width: number;
  /** Height that all tiles together should fit in if they can, or `null` where the page scrolls anyway. */
  height: number | null;
  count: number;
  /** Width over height of the pictures. */
  aspect: number;
  gap: number;
  /** Height of the line below each picture. */
  caption: number;
  /** No tile is narrower, unless the room itself is. */
  minimum: number;
}

export interface Grid {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
  /** The height of the line below each picture. */
  caption: number;
  gap: number;
  /** The height of all rows, in pixels. */
  height: number;
}

function withColumns(columns: number, room: GridRoom, height: number | null): Grid {
  const rows = Math.ceil(room.count / columns);
  const tileWidth = Math.floor((room.width - room.gap * (columns - 1)) / columns);
  const natural = Math.round(tileWidth / room.aspect) + room.caption;
  // To fit, tiles get lower, never wider: the picture is letterboxed in what is left.
  const fitting = height === null ? natural : Math.floor((height - room.gap * (rows - 1)) / rows);
  const tileHeight = Math.max(0, Math.min(natural, fitting));
  return {
    columns,
    rows,
    tileWidth,
    tileHeight,
    caption: room.caption,
    gap: room.gap,
    height: rows * tileHeight + (rows - 1) * room.gap,
  };
}

/** The width of the pictures themselves. */
const pictureWidth = (grid: Grid, room: GridRoom): number =>
  Math.min(grid.tileWidth, (grid.tileHeight - room.caption) * room.aspect);

const NARROW = 600;
const CAPTION = 28;

export interface CameraRoom {
  /** Pixels. */
  width: number;
  height: number;
  /** How much larger than usual type is here (base.css). */
  scale: number;
  count: number;
  aspect: number;
  /** No tile is narrower on a wide screen, in pixels at the usual size of type; on a narrow one 70 % of it. */
  minimum: number;
  /** True if the tiles should fit in the height where they can, and be larger for it; else they only fill the width. */
  fit: boolean;
}

/** A grid of cameras on a desktop, a phone, or a wall whose type is larger. */
export function cameraRoom({ width, height, scale, count, aspect, minimum, fit }: CameraRoom): GridRoom {
  const narrow = width < NARROW;
  const gap = narrow ? 8 : 12;
  const least = (narrow ? (count > 3 ? minimum * 0.69 : 320) : minimum) * scale;
  const most = Math.max(1, Math.floor((width + gap) / (least + gap)));
  const column = Math.floor((width - gap * (most - 1)) / most);
  return {
    // A few that are not to be larger than others leave the rest of the width empty.
    width: fit || count >= most ? width : count * (column + gap) - gap,
    // On a phone the page scrolls anyway.
    height: narrow || !fit ? null : height,
    count,
    aspect,
    gap,
    caption: CAPTION * scale,
    minimum: least,
  };
}

/** The columns that show all cameras at once in the largest pictures; where that makes them too small, a grid that scrolls. */
export function layOut(room: GridRoom): Grid {
  if (room.count === 0 || room.width <= 0) {
    const { caption, gap } = room;
    return { columns: 1, rows: 0, tileWidth: 0, tileHeight: 0, caption, gap, height: 0 };
  }
  const most = Math.max(1, Math.floor((room.width + room.gap) / (room.minimum + room.gap)));
  if (room.height === null) return withColumns(Math.min(most, room.count), room, null);
  let best: Grid | null = null;
  for (let columns = 1; columns <= Math.min(most, room.count); columns += 1) {
    const grid = withColumns(columns, room, room.height);
    if (best === null || pictureWidth(grid, room) > pictureWidth(best, room)) best = grid;
  }
  // Pictures much narrower than their tiles waste the screen: then the page had better scroll.
  if (best !== null && pictureWidth(best, room) >= Math.min(room.minimum, room.width) * 0.9) return best;
  return withColumns(most, room, null);
}

/** The tiles to render, `[from, to)`, for the part of the grid between `top` and `bottom` (pixels from its start). */
export function visibleTiles(
  grid: Grid,
  count: number,
  top: number,
  bottom: number,
  spare: number,
): [number, number] {
  const pitch = grid.tileHeight + grid.gap;
  if (count === 0 || pitch <= 0 || grid.rows === 0) return [0, 0];
  const first = Math.floor(top / pitch) - spare;
  const last = Math.ceil(bottom / pitch) + spare;
  const clamp = (row: number) => Math.max(0, Math.min(grid.rows, row));
  return [Math.min(count, clamp(first) * grid.columns), Math.min(count, clamp(last) * grid.columns)];
}

export function placeTile(grid: Grid, index: number): Rectangle {
  const row = Math.floor(index / grid.columns);
  const column = index % grid.columns;
  return {
    x: column * (grid.tileWidth + grid.gap),
    y: row * (grid.tileHeight + grid.gap),
    width: grid.tileWidth,
    height: grid.tileHeight,
  };
}

/** The tile that a key leads to from tile `index`; `index` itself at the edges and for any other key. */
export function neighbour(
  key: string,
  index: number,
  count: number,
  columns: number,
  rowsPerPage: number,
): number {
  const last = count - 1;
  const go = (to: number) => Math.max(0, Math.min(last, to));
  switch (key) {
    case 'ArrowLeft':
      return go(index - 1);
    case 'ArrowRight':
      return go(index + 1);
    case 'ArrowUp':
      return index - columns < 0 ? index : index - columns;
    case 'ArrowDown':
      // From above a short last row, down leads to its end.
      return Math.floor(index / columns) < Math.floor(last / columns) ? go(index + columns) : index;
    case 'PageUp':
      return Math.max(index % columns, index - columns * rowsPerPage);
    case 'PageDown':
      return go(index + columns * rowsPerPage);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return index;
  }
}

/** The proportions that most of the cameras have (16:9 while none is known). */
export function commonAspect(sizes: Iterable<{ width: number | null; height: number | null }>): number {
  const votes = new Map<number, number>();
  for (const { width, height } of sizes) {
    if (width === null || height === null) continue;
    const aspect = Math.round((width / height) * 100) / 100;
    votes.set(aspect, (votes.get(aspect) ?? 0) + 1);
  }
  let [best, most] = [16 / 9, 0];
  for (const [aspect, number] of votes) if (number > most) [best, most] = [aspect, number];
  // Panoramas and doorbells are letterboxed rather than made the rule.
  return Math.max(1, Math.min(2, best));
}
