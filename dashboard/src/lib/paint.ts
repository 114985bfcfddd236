/** Draws one picture and its boxes on one canvas, in one go. */

import type { Monotonic } from './clock';
import type { Result } from './contract.gen';
import { digits } from './format';
import { type Rectangle, type Size, letterbox, placeBox, placeLabel } from './letterbox';

export interface Surface {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  /** Device pixels per pixel of the design, when the canvas was last measured: on walls strokes grow with the type. */
  ratio: number;
}

export interface Painting {
  bitmap: ImageBitmap;
  result: Result;
  arrived: Monotonic;
  /** The size of the original frame, in its pixels. */
  frame: Size;
}

interface Ink {
  ground: string;
  box: string;
  text: string;
  hem: string;
  font: string;
}

/** Pixels of the design: CSS pixels, but on large screens, where type is larger (base.css). */
const STROKE = 2;
const LABEL = { type: 11, height: 15, padding: 4 };

let ink: Ink | null = null;

/** How much larger than usual type is on this screen. */
export function typeScale(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/** The tokens that canvases need; the same in both schemes, so read once. */
function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    ground: token('--picture-ground'),
    box: token('--box'),
    text: token('--box-text'),
    hem: token('--box-hem'),
    font: token('--sans'),
  };
}

export function openSurface(canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('this browser gives no 2d canvas');
  return { canvas, context, ratio: 1 };
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

export function paint(surface: Surface, { bitmap, result, frame }: Painting): void {
  const { canvas, context, ratio } = surface;
  ink ??= readInk();
  const picture = letterbox(frame, canvas);
  if (picture.width < canvas.width || picture.height < canvas.height) {
    context.fillStyle = ink.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(bitmap, picture.x, picture.y, picture.width, picture.height);

  const stroke = Math.max(1, Math.round(STROKE * ratio));
  const boxes = result.detections.map((detection) => placeBox(detection, frame, picture, stroke));
  context.lineJoin = 'miter';
  // A dark hem keeps the accent visible on bright pictures.
  context.strokeStyle = ink.hem;
  context.lineWidth = stroke + 2 * Math.max(1, Math.round(ratio));
  for (const box of boxes) context.strokeRect(box.x, box.y, box.width, box.height);
  context.strokeStyle = ink.box;
  context.lineWidth = stroke;
  for (const box of boxes) context.strokeRect(box.x, box.y, box.width, box.height);

  context.font = `600 ${LABEL.type * ratio}px ${ink.font}`;
  context.textBaseline = 'middle';
  result.detections.forEach(({ confidence }, index) => {
    const box = boxes[index];
    if (confidence !== null && box !== undefined)
      label(surface, confidenceText(confidence), box, picture, stroke, ink as Ink);
  });

  canvas.dataset['frame'] = result.frame_id;
  canvas.dataset['boxes'] = JSON.stringify(result.detections.map((d) => [d.x, d.y, d.w, d.h, d.confidence]));
  canvas.dataset['width'] = String(frame.width);
  canvas.dataset['height'] = String(frame.height);
}

/** `.93`, `1.0`; scores that are no probability are shown as numbers. */
export function confidenceText(confidence: number): string {
  if (confidence < 0 || confidence > 1) return digits(confidence);
  const rounded = confidence.toFixed(2);
  return rounded.startsWith('0') ? rounded.slice(1) : '1.0';
}

function label(
  surface: Surface,
  words: string,
  box: Rectangle,
  picture: Rectangle,
  stroke: number,
  { box: fill, text }: Ink,
): void {
  const { context, ratio } = surface;
  const padding = Math.round(LABEL.padding * ratio);
  const size = {
    width: Math.ceil(context.measureText(words).width) + 2 * padding,
    height: Math.round(LABEL.height * ratio),
  };
  const place = placeLabel(box, size, picture, stroke);
  context.fillStyle = fill;
  context.fillRect(place.x, place.y, place.width, place.height);
  context.fillStyle = text;
  context.fillText(words, place.x + padding, place.y + place.height / 2 + ratio * 0.5);
}
