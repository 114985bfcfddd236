/** The figures of the overview's cards, by their names in the gateway's answers and in addresses. */

export const FIGURES = ['processingRate', 'latency', 'queueDepth', 'notComputed', 'errors'] as const;
export type FigureName = (typeof FIGURES)[number];
