/** How much room the page leaves between things. `public/scheme.js` applies the choice before the first paint. */

import { type Kept, kept, oneOf } from './kept.svelte';

export const DENSITIES = ['comfortable', 'compact'] as const;
export type Density = (typeof DENSITIES)[number];

export const density: Kept<Density> = kept<Density>(
  'density',
  'comfortable',
  oneOf(DENSITIES),
  (chosen) => (document.documentElement.dataset['density'] = chosen),
);
