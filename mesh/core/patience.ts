import { PACE_MS, PROVEN_SILENCE_MS, SILENCE_MS, SILENCE_OF_SLACK } from './limits.ts';

/**
 * How long a neighbour may be silent, ms.
 * @param slack milliseconds until the asset is needed; Infinity: not known
 * @param proven did it give bytes since it last fell silent?
 */
export const patience = (slack: number, proven: boolean): number =>
  proven ? Math.min(PROVEN_SILENCE_MS, Math.max(SILENCE_MS, slack * SILENCE_OF_SLACK)) : SILENCE_MS;

/** Blocks that a neighbour gave since it was asked, the milliseconds that took, and how many it still owes. */
export interface Pace {
  readonly blocks: number;
  readonly openFor: number;
  readonly due: number;
}

/** Would the rest come too late, were the neighbour to go on as it did? `slack` as above; before its first block nobody can tell. */
export function isTooSlow({ blocks, openFor, due }: Pace, slack: number): boolean {
  const time = slack === Infinity ? PACE_MS : Math.max(slack, PACE_MS);
  return blocks > 0 && (openFor / blocks) * due > time;
}
