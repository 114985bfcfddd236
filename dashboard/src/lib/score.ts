/** Confidences in words: percent, or the number itself where a detector's scores are no probabilities. Pure. */

import { digits, percent, plain } from './format';

export const confidenceWords = (confidence: number): string =>
  confidence >= 0 && confidence <= 1 ? plain(percent(confidence)) : digits(confidence);
