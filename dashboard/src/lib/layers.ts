/** What is drawn on a picture, and where: in the pixels of its frame, whatever the size shown. */

import { digits } from './format';
import { type Rectangle, type Size, placeBox, placeLabel } from './letterbox';

export const LAYERS = ['boxes', 'scores', 'landmarks'] as const;
export type Layer = (typeof LAYERS)[number];
export type Layers = Readonly<Record<Layer, boolean>>;

/** What is shown unless somebody chooses. */
export const USUAL: Layers = { boxes: true, scores: true, landmarks: false };

/** A detection, in pixels of its frame. */
export interface Detected {
  x: number;
  y: number;
  w: number;
  h: number;
  confidence: number | null;
  landmarks: readonly (readonly number[])[];
}

export interface Mark {
  box: Rectangle;
  score: string | null;
  landmarks: readonly { x: number; y: number }[];
}

/** What the canvas needs of the tokens. */
export interface Ink {
  box: string;
  text: string;
  hem: string;
  font: string;
}

/** CSS pixels. */
export const STROKE = 2;
const LABEL = { type: 11, height: 15, padding: 4, dot: 2.5 };

export function readInk(element: Element): Ink {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return { box: token('--box'), text: token('--box-text'), hem: token('--box-hem'), font: token('--sans') };
}

/** `.93`, `1.0`; scores that are no probability are shown as numbers. */
export function confidenceText(confidence: number): string {
  if (confidence < 0 || confidence > 1) return digits(confidence);
  const rounded = confidence.toFixed(2);
  return rounded.startsWith('0') ? rounded.slice(1) : '1.0';
}

/** The marks of a frame on its picture at `picture`; a stroke of `stroke` pixels stays inside. */
export function marksOn(
  detections: readonly Detected[],
  frame: Size,
  picture: Rectangle,
  stroke: number,
): Mark[] {
  const [scaleX, scaleY] = [picture.width / frame.width, picture.height / frame.height];
  return detections.map((detection) => ({
    box: placeBox(detection, frame, picture, stroke),
    score: detection.confidence === null ? null : confidenceText(detection.confidence),
    landmarks: detection.landmarks.flatMap(([x, y]) =>
      x === undefined || y === undefined ? [] : [{ x: picture.x + x * scaleX, y: picture.y + y * scaleY }],
    ),
  }));
}

/** Draws the layers over the picture at `picture`; `scale` is how many pixels of the canvas are one of the screen. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  detections: readonly Detected[],
  frame: Size,
  picture: Rectangle,
  layers: Layers,
  scale: number,
  ink: Ink,
): void {
  const stroke = Math.max(1, Math.round(STROKE * scale));
  const marks = marksOn(detections, frame, picture, stroke);
  const outline = (style: string, line: number) => {
    context.strokeStyle = style;
    context.lineWidth = line;
    for (const { box } of marks) context.strokeRect(box.x, box.y, box.width, box.height);
  };
  context.lineJoin = 'miter';
  if (layers.boxes) {
    // A dark hem keeps the accent visible on bright pictures.
    outline(ink.hem, stroke + 2 * Math.max(1, Math.round(scale)));
    outline(ink.box, stroke);
  }
  if (layers.landmarks)
    for (const { x, y } of marks.flatMap(({ landmarks }) => landmarks)) {
      context.beginPath();
      context.arc(x, y, LABEL.dot * scale, 0, 2 * Math.PI);
      context.lineWidth = Math.max(1, scale);
      context.strokeStyle = ink.hem;
      context.fillStyle = ink.box;
      context.fill();
      context.stroke();
    }
  if (!layers.scores) return;
  context.font = `600 ${LABEL.type * scale}px ${ink.font}`;
  context.textBaseline = 'middle';
  for (const { box, score } of marks) {
    if (score === null) continue;
    const padding = Math.round(LABEL.padding * scale);
    const size = {
      width: Math.ceil(context.measureText(score).width) + 2 * padding,
      height: Math.round(LABEL.height * scale),
    };
    const place = placeLabel(box, size, picture, stroke);
    context.fillStyle = ink.box;
    context.fillRect(place.x, place.y, place.width, place.height);
    context.fillStyle = ink.text;
    context.fillText(score, place.x + padding, place.y + place.height / 2 + scale * 0.5);
  }
}

/** Drawn for a screen of this width, a file has strokes and words that can be seen. */
const SCREEN = 960;

/** A picture in its own size as a JPEG, with the layers drawn on it; `null` if the browser makes none. */
export function drawnFile(
  picture: CanvasImageSource,
  size: Size,
  detections: readonly Detected[],
  frame: Size,
  layers: Layers,
): Promise<Blob | null> {
  const paper = document.createElement('canvas');
  const whole = { x: 0, y: 0, width: size.width, height: size.height };
  [paper.width, paper.height] = [whole.width, whole.height];
  const context = paper.getContext('2d');
  if (context === null) return Promise.resolve(null);
  context.drawImage(picture, 0, 0, size.width, size.height);
  const scale = Math.max(1, size.width / SCREEN);
  drawMarks(context, detections, frame, whole, layers, scale, readInk(document.documentElement));
  return new Promise((resolve) => paper.toBlob(resolve, 'image/jpeg', 0.92));
}

/** Has the browser save a file. */
export function saveAs(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
