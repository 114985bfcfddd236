/** What the overview's address says: which cameras are shown, and which one is open. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';
import { FIGURES, type FigureName } from '../lib/figures';
import { CAMERA_STATES, type CameraState } from '../lib/protocol';

export interface OverviewPlace {
  /** The camera that is open in the large view. */
  camera: string | null;
  /** The search among cameras. */
  q: string;
  state: CameraState | null;
  group: string | null;
  /** The figure whose chart is open below the cards. */
  figure: FigureName | null;
  /** What that chart shows. */
  range: ChartRange;
}

export const OVERVIEW: PageAddress<OverviewPlace> = {
  path: '/',
  empty: { camera: null, q: '', state: null, group: null, figure: null, range: LAST_HOUR },
  parameters: {
    camera: null,
    q: null,
    state: CAMERA_STATES,
    group: null,
    figure: FIGURES,
    from: null,
    to: null,
  },
  read: (parameters) => ({
    camera: parameters.get('camera') || null,
    q: parameters.get('q') ?? '',
    state: CAMERA_STATES.find((state) => state === parameters.get('state')) ?? null,
    group: parameters.get('group') || null,
    figure: FIGURES.find((figure) => figure === parameters.get('figure')) ?? null,
    range: readChartRange(parameters),
  }),
  write({ camera, q, state, group, figure, range }, parameters) {
    if (q !== '') parameters.set('q', q);
    if (state !== null) parameters.set('state', state);
    if (group !== null) parameters.set('group', group);
    if (camera !== null) parameters.set('camera', camera);
    if (figure === null) return;
    parameters.set('figure', figure);
    writeChartRange(parameters, range);
  },
};
