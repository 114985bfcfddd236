/** What a camera's address says: which one, what is drawn on its picture, and the time of its charts. Pure. */

import type { PageAddress } from '../lib/address';
import { type ChartRange, LAST_HOUR, readChartRange, writeChartRange } from '../lib/charts/range';
import { CAMERA_ID } from '../lib/contract.gen';
import { LAYERS, USUAL, type Layers } from '../lib/layers';

export interface CameraPlace {
  camera: string;
  /** What is drawn on the picture; `masks` are outlines of what is black in it. */
  layers: Layers;
  masks: boolean;
  range: ChartRange;
}

const NONE = 'none';
const MASKS = 'masks';
const NAMES = [...LAYERS, MASKS];
/** Any of the names, with commas between them. */
const SHOW = new RegExp(`^(${NONE}|(${NAMES.join('|')})(,(${NAMES.join('|')})){0,3})$`);

const namesOf = ({ layers, masks }: Pick<CameraPlace, 'layers' | 'masks'>): string[] => [
  ...LAYERS.filter((layer) => layers[layer]),
  ...(masks ? [MASKS] : []),
];

export const CAMERA: PageAddress<CameraPlace> = {
  path: '/cameras/{id}',
  empty: { camera: '', layers: USUAL, masks: false, range: LAST_HOUR },
  parameters: { show: SHOW, from: null, to: null },
  read(parameters, id) {
    const show = parameters.get('show') ?? '';
    const names = SHOW.test(show) ? show.split(',') : namesOf(CAMERA.empty);
    return {
      // What is no id is shown as one that nobody has.
      camera: id,
      layers: {
        boxes: names.includes('boxes'),
        scores: names.includes('scores'),
        landmarks: names.includes('landmarks'),
      },
      masks: names.includes(MASKS),
      range: readChartRange(parameters),
    };
  },
  write(place, parameters) {
    const names = namesOf(place);
    if (names.join() !== namesOf(CAMERA.empty).join()) parameters.set('show', names.join() || NONE);
    writeChartRange(parameters, place.range);
  },
  id: ({ camera }) => camera,
};

/** Whether a camera can have that id at all. */
export const isCameraId = (id: string): boolean => CAMERA_ID.test(id);
