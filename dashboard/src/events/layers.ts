/** What is drawn on an event's picture, and where: in the pixels of its frame, whatever the size shown. Pure. */

import type { EventFrameView } from '../lib/contract.gen';
import { type Rectangle, placeBox, placeLabel } from '../lib/letterbox';
import { confidenceText } from '../lib/paint';

export const LAYERS = ['boxes', 'scores', 'landmarks'] as const;
export type Layer = (typeof LAYERS)[number];
export type Layers = Readonly<Record<Layer, boolean>>;

export interface Mark {
  box: Rectangle;
  score: string;
  landmarks: readonly { x: number; y: number }[];
}

/** The marks of a frame on a picture of `width` by `height`; a stroke of `stroke` pixels stays inside. */
export function marksOn(frame: EventFrameView, width: number, height: number, stroke: number): Mark[] {
  const picture = { x: 0, y: 0, width, height };
  return frame.detections.map((detection) => ({
    box: placeBox(detection, frame, picture, stroke),
    score: confidenceText(detection.confidence),
    landmarks: detection.landmarks.flatMap(([x, y]) =>
      x === undefined || y === undefined
        ? []
        : [{ x: (x / frame.width) * width, y: (y / frame.height) * height }],
    ),
  }));
}

/** What the canvas needs of the tokens. */
export interface Ink {
  box: string;
  text: string;
  hem: string;
  font: string;
}

/** CSS pixels, as on live pictures. */
export const STROKE = 2;
const LABEL = { type: 11, height: 15, padding: 4, dot: 2.5 };

/** Draws the layers on a canvas that has the picture; `scale` is how many of its pixels are one of the screen. */
export function draw(
  context: CanvasRenderingContext2D,
  frame: EventFrameView,
  layers: Layers,
  scale: number,
  ink: Ink,
): void {
  const { width, height } = context.canvas;
  const stroke = Math.max(1, Math.round(STROKE * scale));
  const marks = marksOn(frame, width, height, stroke);
  const outline = (style: string, line: number) => {
    context.strokeStyle = style;
    context.lineWidth = line;
    for (const { box } of marks) context.strokeRect(box.x, box.y, box.width, box.height);
  };
  if (layers.boxes) {
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
    const padding = Math.round(LABEL.padding * scale);
    const size = {
      width: Math.ceil(context.measureText(score).width) + 2 * padding,
      height: Math.round(LABEL.height * scale),
    };
    const place = placeLabel(box, size, { x: 0, y: 0, width, height }, stroke);
    context.fillStyle = ink.box;
    context.fillRect(place.x, place.y, place.width, place.height);
    context.fillStyle = ink.text;
    context.fillText(score, place.x + padding, place.y + place.height / 2 + scale * 0.5);
  }
}
