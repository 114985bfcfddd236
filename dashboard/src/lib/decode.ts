/**
 * Decodes pictures off the main thread.
 *
 * Browsers that have ImageDecoder (WebCodecs, in secure contexts) decode a JPEG at an eighth, two eighths … of its
 * size, so that small tiles cost little, and take the bytes as they are: `createImageBitmap` wants them as a Blob,
 * which goes through the browser's process and back.
 */

import type { Size } from './letterbox';

/** A decoded picture. Whoever has it closes it. */
export type Decoded = ImageBitmap | VideoFrame;

/** JPEG is decoded at so many eighths of its size. */
const EIGHTHS = 8;

/**
 * Decodes a picture of `own` size (pixels; `null`: unknown) so that it is at least as large as `shown`, where it is
 * `null` in full. Rejects if it cannot be decoded.
 */
export async function decode(
  image: Uint8Array<ArrayBuffer>,
  type: string,
  own: Size | null,
  shown: Size | null,
): Promise<Decoded> {
  const reduced = own === null || shown === null ? null : reducedSize(own, shown);
  if (typeof ImageDecoder === 'function') {
    try {
      return await frameOf(image, type, reduced);
    } catch {
      // The other way takes pictures that this one does not.
    }
  }
  const options: ImageBitmapOptions =
    reduced === null || own === null || reduced.width * 1.5 > own.width
      ? {} // making it smaller costs more than it saves
      : { resizeWidth: reduced.width, resizeHeight: reduced.height, resizeQuality: 'medium' };
  return createImageBitmap(new Blob([image], { type }), options);
}

/** The smallest size of so many eighths that is not smaller than what is shown; `null`: in full. */
export function reducedSize(own: Size, shown: Size): Size | null {
  if (own.width <= 0 || own.height <= 0 || shown.width <= 0 || shown.height <= 0) return null;
  // A picture fits into what is shown: the tighter side decides.
  const scale = Math.min(shown.width / own.width, shown.height / own.height);
  const eighths = Math.max(1, Math.ceil(scale * EIGHTHS));
  if (eighths >= EIGHTHS) return null;
  return {
    width: Math.ceil((own.width * eighths) / EIGHTHS),
    height: Math.ceil((own.height * eighths) / EIGHTHS),
  };
}

async function frameOf(
  image: Uint8Array<ArrayBuffer>,
  type: string,
  reduced: Size | null,
): Promise<VideoFrame> {
  const size = reduced === null ? {} : { desiredWidth: reduced.width, desiredHeight: reduced.height };
  const decoder = new ImageDecoder({ type, data: image, preferAnimation: false, ...size });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

/** The size of a decoded picture, upright. */
export function sizeOf(decoded: Decoded): Size {
  return 'displayWidth' in decoded
    ? { width: decoded.displayWidth, height: decoded.displayHeight }
    : { width: decoded.width, height: decoded.height };
}
