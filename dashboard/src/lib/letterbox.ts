/** Places a frame and its boxes on a canvas. Pure arithmetic, in device pixels. */

export interface Size {
  width: number;
  height: number;
}

export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** The largest rectangle of `frame`'s proportions inside `canvas`, centred: a picture is never stretched. */
export function letterbox(frame: Size, canvas: Size): Rectangle {
  if (frame.width <= 0 || frame.height <= 0) return { x: 0, y: 0, width: 0, height: 0 };
  const scale = Math.min(canvas.width / frame.width, canvas.height / frame.height);
  const width = Math.round(frame.width * scale);
  const height = Math.round(frame.height * scale);
  return {
    x: Math.floor((canvas.width - width) / 2),
    y: Math.floor((canvas.height - height) / 2),
    width,
    height,
  };
}

/**
 * A box of the frame, mapped onto the letterboxed picture, such that a stroke of `stroke` device pixels along it
 * is whole pixels and stays inside the picture.
 */
export function placeBox(
  box: { x: number; y: number; w: number; h: number },
  frame: Size,
  picture: Rectangle,
  stroke: number,
): Rectangle {
  const scaleX = picture.width / frame.width;
  const scaleY = picture.height / frame.height;
  const half = stroke / 2;
  const left = Math.max(picture.x, Math.round(picture.x + box.x * scaleX)) + half;
  const top = Math.max(picture.y, Math.round(picture.y + box.y * scaleY)) + half;
  const right = Math.min(picture.x + picture.width, Math.round(picture.x + (box.x + box.w) * scaleX)) - half;
  const bottom =
    Math.min(picture.y + picture.height, Math.round(picture.y + (box.y + box.h) * scaleY)) - half;
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/** The place of a box's label: above the box, else below, else inside it, and always inside the picture. */
export function placeLabel(box: Rectangle, label: Size, picture: Rectangle, stroke: number): Rectangle {
  const half = stroke / 2;
  const above = box.y - half - label.height;
  const below = box.y + box.height + half;
  const fitsBelow = below + label.height <= picture.y + picture.height;
  const wanted = above >= picture.y ? above : fitsBelow ? below : box.y + half;
  const inside = (at: number, from: number, room: number, extent: number) =>
    Math.max(from, Math.min(at, from + room - extent));
  return {
    x: inside(box.x - half, picture.x, picture.width, label.width),
    y: inside(wanted, picture.y, picture.height, label.height),
    ...label,
  };
}
