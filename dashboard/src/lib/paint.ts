/** Draws one picture and its boxes in one go, on a canvas or its part of one. */

import type { Monotonic } from './clock';
import type { Picture } from './protocol';
import type { Result } from './contract.gen';
import type { Decoded } from './decode';
import { type Ink, LAYERS, type Layers, USUAL, drawMarks, readInk } from './layers';
import { type Rectangle, type Size, letterbox } from './letterbox';

export interface Surface {
  /** `null` while there is no canvas to paint on. */
  context: CanvasRenderingContext2D | null;
  /** Its part of that canvas, in device pixels. What is drawn stays inside. */
  room: Rectangle;
  /** Radius of the room's upper corners, in pixels of the design. */
  corner: number;
  /** Device pixels per pixel of the design, when the canvas was last measured: on walls strokes grow with the type. */
  ratio: number;
  layers: Layers;
  /** Whether the picture is shown grey, since it may not be taken for the present. */
  stale: boolean;
  /** The element whose attributes say what is painted. */
  says: HTMLElement;
}

export interface Painting {
  decoded: Decoded;
  /** The picture as it came. */
  image: Uint8Array<ArrayBuffer>;
  contentType: Picture['contentType'];
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

/** A surface without a canvas yet. Until it has a size, no pictures are decoded for it. */
export function makeSurface(says: HTMLElement): Surface {
  const room = { x: 0, y: 0, width: 0, height: 0 };
  return { context: null, room, corner: 0, ratio: 1, layers: USUAL, stale: false, says };
}

/** Gives the surface a canvas of its own. Returns a function that takes it away. */
export function openCanvas(surface: Surface, canvas: HTMLCanvasElement, repaint: () => void): () => void {
  surface.context = contextOf(canvas, { alpha: false });
  [canvas.width, canvas.height] = [0, 0];
  const end = observeSize(canvas, (size, ratio) => {
    surface.ratio = ratio;
    if (!resize(canvas, size)) return;
    surface.room = { x: 0, y: 0, width: canvas.width, height: canvas.height };
    repaint();
  });
  return () => {
    end();
    surface.context = null;
  };
}

export function contextOf(
  canvas: HTMLCanvasElement,
  settings: CanvasRenderingContext2DSettings = {},
): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', settings);
  if (context === null) throw new Error('this browser gives no 2d canvas');
  return context;
}

/** Tells the canvas' size in device pixels, and how many of them are one of the design, whenever that changes. */
export function observeSize(
  canvas: HTMLCanvasElement,
  tell: (size: Size, ratio: number) => void,
): () => void {
  const sizes = new ResizeObserver(([entry]) => {
    if (entry !== undefined) tell(deviceSize(entry), devicePixelRatio * typeScale());
  });
  try {
    sizes.observe(canvas, { box: 'device-pixel-content-box' });
  } catch {
    sizes.observe(canvas);
  }
  return () => sizes.disconnect();
}

function deviceSize({ contentRect, devicePixelContentBoxSize }: ResizeObserverEntry): Size {
  const size = {
    width: contentRect.width * devicePixelRatio,
    height: contentRect.height * devicePixelRatio,
  };
  // Exact where the browser tells: a canvas that is scaled by a hair blurs its strokes. (Where a device is only
  // emulated, browsers tell the real one's pixels.)
  const exact = devicePixelContentBoxSize?.[0];
  if (exact === undefined || Math.abs(exact.inlineSize - size.width) > 2) return size;
  return { width: exact.inlineSize, height: exact.blockSize };
}

/** Returns true when the canvas has another size than before, and so is empty. */
export function resize(canvas: HTMLCanvasElement, size: Size): boolean {
  const width = Math.max(1, Math.round(size.width));
  const height = Math.max(1, Math.round(size.height));
  if (canvas.width === width && canvas.height === height) return false;
  [canvas.width, canvas.height] = [width, height];
  return true;
}

export function paint(surface: Surface, painting: Painting): void {
  const { context, layers, says } = surface;
  if (context !== null && surface.room.width > 0) draw(surface, context, painting);
  const { result, frame } = painting;
  says.dataset['frame'] = result.frame_id;
  says.dataset['boxes'] = JSON.stringify(result.detections.map((d) => [d.x, d.y, d.w, d.h, d.confidence]));
  says.dataset['layers'] = LAYERS.filter((layer) => layers[layer]).join(' ');
  says.dataset['width'] = String(frame.width);
  says.dataset['height'] = String(frame.height);
}

function draw(
  { room, corner, ratio, layers, stale }: Surface,
  context: CanvasRenderingContext2D,
  { decoded, result, frame }: Painting,
): void {
  if (ink === null) {
    ink = readInk(document.documentElement);
    ground = getComputedStyle(document.documentElement).getPropertyValue('--picture-ground').trim();
  }
  const picture = letterbox(frame, room);
  [picture.x, picture.y] = [picture.x + room.x, picture.y + room.y];
  context.save();
  context.beginPath();
  context.rect(room.x, room.y, room.width, room.height);
  context.clip();
  if (picture.width < room.width || picture.height < room.height) cover(context, room, ground);
  context.drawImage(decoded, picture.x, picture.y, picture.width, picture.height);
  drawMarks(context, result.detections, frame, picture, layers, ratio, ink);
  if (stale) {
    context.globalCompositeOperation = 'saturation';
    cover(context, room, 'grey');
    context.globalCompositeOperation = 'source-over';
    context.globalAlpha = 0.5;
    cover(context, room, ground);
  }
  if (corner > 0) roundCorners(context, room, corner * ratio);
  context.restore();
}

function cover(context: CanvasRenderingContext2D, room: Rectangle, style: string): void {
  context.fillStyle = style;
  context.fillRect(room.x, room.y, room.width, room.height);
}

/** Cuts the upper corners off. */
function roundCorners(context: CanvasRenderingContext2D, { x, y, width }: Rectangle, radius: number): void {
  const [left, right] = [x, x + width];
  context.globalCompositeOperation = 'destination-out';
  context.globalAlpha = 1;
  context.beginPath();
  context.moveTo(left, y + radius);
  context.arc(left + radius, y + radius, radius, Math.PI, 1.5 * Math.PI);
  context.lineTo(left, y);
  context.moveTo(right - radius, y);
  context.arc(right - radius, y + radius, radius, 1.5 * Math.PI, 2 * Math.PI);
  context.lineTo(right, y);
  context.fill();
}
