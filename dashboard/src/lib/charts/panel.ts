import type { Unit } from './units';

/** A panel of `Charts.svelte`. `objective` is in the unit of the expression: seconds, bytes, a ratio from 0 to 1. */
export interface ChartPanel {
  title: string;
  description?: string;
  unit: Unit;
  expr: string;
  objective?: number | null;
}
