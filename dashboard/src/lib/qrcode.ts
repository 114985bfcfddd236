/** An address as a QR code, for the camera of a phone; loaded when it is shown first. Pure. */

import { encode } from 'uqr';

/** Light modules around the code, which readers need. */
export const QUIET = 4;

export interface QrCode {
  /** Modules on a side, the quiet ones included. */
  size: number;
  /** The dark modules, as the path of an SVG. */
  path: string;
}

export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  const runs = data.flatMap((row, y) => {
    const found: string[] = [];
    for (let x = 0; x < row.length; x += 1) {
      if (row[x] !== true) continue;
      const from = x;
      while (row[x + 1] === true) x += 1;
      found.push(`M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`);
    }
    return found;
  });
  return { size, path: runs.join('') };
}
