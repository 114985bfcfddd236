/** How lines of a chart are told apart: six colours of tokens.css, which then come again, dashed. Pure. */

export const COLOURS = 6;
const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** `colours`: after how many lines dashes have to help; 1 where there is one colour only. */
export const dashOf = (series: number, colours = COLOURS): number[] =>
  DASHES[Math.floor(series / colours) % DASHES.length] ?? [];
