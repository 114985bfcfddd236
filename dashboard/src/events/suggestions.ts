/** Cameras to choose from while somebody types. Pure. */

import { isCameraId } from './eventfilter';

export interface Choice {
  id: string;
  name: string;
}

/**
 * At most `most` cameras whose name or id has `typed` in it and that are not chosen; those that begin with it first.
 * Events of cameras that are gone can be asked for too: what is typed is offered as an id of its own, last.
 */
export function suggest(
  typed: string,
  chosen: readonly string[],
  cameras: readonly Choice[],
  most: number,
): Choice[] {
  const wanted = typed.trim().toLowerCase();
  const free = cameras.filter(({ id }) => !chosen.includes(id));
  const rank = ({ id, name }: Choice) => {
    const [ofName, ofId] = [name.toLowerCase().indexOf(wanted), id.toLowerCase().indexOf(wanted)];
    return ofName === 0 || ofId === 0 ? 0 : ofName > 0 || ofId > 0 ? 1 : 2;
  };
  const found = [0, 1]
    .flatMap((wantedRank) => free.filter((camera) => rank(camera) === wantedRank))
    .slice(0, most);
  const literal = typed.trim();
  const known = [...cameras.map(({ id }) => id), ...chosen].includes(literal);
  return known || !isCameraId(literal) ? found : [...found, { id: literal, name: literal }];
}
