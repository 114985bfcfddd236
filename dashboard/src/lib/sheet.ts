/**
 * One canvas behind a row of tiles, which paint their pictures on it: a canvas for each of them would be a layer that
 * the browser puts together with all others, in every animation frame.
 */

import { type Surface, contextOf, observeSize, resize } from './paint';

/** Where on a sheet a tile's picture is, in CSS pixels; it is as high as the sheet. */
export interface Spot {
  x: number;
  width: number;
}

interface Tenant {
  spot: Spot;
  repaint: () => void;
}

/** Radius of a tile's corners (--radius), in pixels of the design. */
const CORNER = 8;

export class Sheet {
  #context: CanvasRenderingContext2D | null = null;
  #ratio = 1;
  /** Device pixels per CSS pixel. */
  #scale = 0;
  #tenants = new Map<Surface, Tenant>();

  /** Gives it its canvas. Returns a function that takes it away. */
  open(canvas: HTMLCanvasElement): () => void {
    const context = contextOf(canvas);
    [canvas.width, canvas.height] = [0, 0];
    this.#context = context;
    const end = observeSize(canvas, (size, ratio) => {
      const scale = size.width / canvas.clientWidth;
      if (!resize(canvas, size) && scale === this.#scale && ratio === this.#ratio) return;
      [this.#scale, this.#ratio] = [scale, ratio];
      for (const [surface, tenant] of this.#tenants) this.#settle(surface, tenant);
    });
    return () => {
      end();
      this.#context = null;
      this.#scale = 0;
      for (const surface of this.#tenants.keys()) surface.context = null;
    };
  }

  /** Lets the surface paint at a spot of it. Returns a function that ends it, and leaves the spot empty. */
  lend(surface: Surface, spot: Spot, repaint: () => void): () => void {
    const tenant = { spot, repaint };
    this.#tenants.set(surface, tenant);
    this.#settle(surface, tenant);
    return () => {
      this.#tenants.delete(surface);
      const { context, room } = surface;
      surface.context = null;
      // Tiles change places one after the other: another may have painted here already.
      if ([...this.#tenants.values()].some((other) => other.spot.x === spot.x)) return;
      context?.clearRect(room.x, room.y, room.width, room.height);
    };
  }

  #settle(surface: Surface, { spot, repaint }: Tenant): void {
    const context = this.#context;
    const [left, right] = [spot.x, spot.x + spot.width].map((x) => Math.round(x * this.#scale));
    [surface.context, surface.corner, surface.ratio] = [context, CORNER, this.#ratio];
    surface.room = {
      x: left ?? 0,
      y: 0,
      width: (right ?? 0) - (left ?? 0),
      height: context?.canvas.height ?? 0,
    };
    if (surface.room.width > 0) repaint();
  }
}
