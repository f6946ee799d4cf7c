import { PROVEN_SILENCE_MS, SILENCE_MS, SILENCE_OF_SLACK } from './limits.ts';

/**
 * How long a neighbour may be silent, ms.
 * @param slack milliseconds until the asset is needed; Infinity: not known
 * @param proven did it give bytes since it last fell silent?
 */
export const patience = (slack: number, proven: boolean): number =>
  proven ? Math.min(PROVEN_SILENCE_MS, Math.max(SILENCE_MS, slack * SILENCE_OF_SLACK)) : SILENCE_MS;
