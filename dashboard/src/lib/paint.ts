/** Draws one picture and its boxes on one canvas, in one go. */

import type { Monotonic } from './clock';
import type { Result } from './contract.gen';
import type { Decoded } from './decode';
import { type Ink, LAYERS, type Layers, USUAL, drawMarks, readInk } from './layers';
import { type Size, letterbox } from './letterbox';

export interface Surface {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  /** Device pixels per pixel of the design, when the canvas was last measured: on walls strokes grow with the type. */
  ratio: number;
  layers: Layers;
}

export interface Painting {
  decoded: Decoded;
  /** The picture as it came. */
  image: Uint8Array<ArrayBuffer>;
  contentType: string;
  result: Result;
  arrived: Monotonic;
  /** The size of the original frame, in its pixels. */
  frame: Size;
}

/** How much larger than usual type is on this screen. */
export function typeScale(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

let ground = '';

/** The tokens that canvases need; the same in both schemes, so read once. */
let ink: Ink | null = null;

export function openSurface(canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('this browser gives no 2d canvas');
  // Until it is measured it has no size for which pictures could be decoded.
  canvas.width = canvas.height = 0;
  return { canvas, context, ratio: 1, layers: USUAL };
}

/** Fits the canvas to its element's size in device pixels. Returns true when that changed, and so emptied, it. */
export function measure(surface: Surface, size: Size, ratio: number): boolean {
  const width = Math.max(1, Math.round(size.width));
  const height = Math.max(1, Math.round(size.height));
  surface.ratio = ratio;
  if (surface.canvas.width === width && surface.canvas.height === height) return false;
  surface.canvas.width = width;
  surface.canvas.height = height;
  return true;
}

export function paint(surface: Surface, { decoded, result, frame }: Painting): void {
  const { canvas, context, ratio, layers } = surface;
  if (ink === null) {
    ink = readInk(document.documentElement);
    ground = getComputedStyle(document.documentElement).getPropertyValue('--picture-ground').trim();
  }
  const picture = letterbox(frame, canvas);
  if (picture.width < canvas.width || picture.height < canvas.height) {
    context.fillStyle = ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(decoded, picture.x, picture.y, picture.width, picture.height);

  drawMarks(context, result.detections, frame, picture, layers, ratio, ink);

  canvas.dataset['frame'] = result.frame_id;
  canvas.dataset['boxes'] = JSON.stringify(result.detections.map((d) => [d.x, d.y, d.w, d.h, d.confidence]));
  canvas.dataset['layers'] = LAYERS.filter((layer) => layers[layer]).join(' ');
  canvas.dataset['width'] = String(frame.width);
  canvas.dataset['height'] = String(frame.height);
}
