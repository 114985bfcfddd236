/** The grid's shape, kept between visits: the skeleton that is shown while loading then has its real size. */

export interface Shape {
  count: number;
  /** Width over height of the pictures. */
  aspect: number;
}

const KEY = 'framefleet.grid';
const UNKNOWN: Shape = { count: 4, aspect: 16 / 9 };

export function parseShape(json: string | null): Shape {
  try {
    const { count, aspect } = JSON.parse(json ?? '') as Partial<Shape>;
    const sound =
      Number.isInteger(count) && Number.isFinite(aspect) && (count as number) > 0 && (aspect as number) > 0;
    return sound ? { count: count as number, aspect: aspect as number } : UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

export function recall(): Shape {
  try {
    return parseShape(localStorage.getItem(KEY));
  } catch {
    return UNKNOWN;
  }
}

export function remember(shape: Shape): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(shape));
  } catch {
    // Storage is switched off: the next visit starts with the usual guess.
  }
}
