import {
  FIRST_BYTE_MS,
  FIRST_REQUEST_WAIT_MS,
  FIRST_SILENCE_MS,
  FOLLOW_PAUSES,
  FOLLOW_SILENCE_MAX_MS,
  HOP_PATIENCE_MS,
  MAX_HOPS,
  PACE_MS,
  PROVEN_SILENCE_MS,
  SILENCE_MS,
  SILENCE_OF_SLACK,
  SLOW_CROSSING_BLOCKS,
  SLOW_CROSSING_BLOCK_MS,
} from './limits.ts';

/** @param slack milliseconds until an asset is needed; Infinity: not known, so perhaps at once */
export const timeLeft = (slack: number): number => (slack === Infinity ? 0 : slack);

/**
 * How long a neighbour may be silent, ms.
 * @param slack milliseconds until the asset is needed; Infinity: not known
 * @param proven did it give bytes since it last fell silent?
 * @param unproven how long one that gave nothing yet may be
 */
export const patience = (slack: number, proven: boolean, unproven = SILENCE_MS): number =>
  proven ? Math.min(PROVEN_SILENCE_MS, Math.max(SILENCE_MS, slack * SILENCE_OF_SLACK)) : unproven;

/**
 * The same of one that gave nothing yet, when it is asked: waiting for its channel and for its first byte together hold a start up no longer
 * than FIRST_REQUEST_WAIT_MS, but for the least that a byte takes.
 * @param sinceStart milliseconds since the first request
 */
export function firstPatience(sinceStart: number): number {
  const left = FIRST_REQUEST_WAIT_MS - sinceStart;
  return left <= 0 ? SILENCE_MS : Math.min(SILENCE_MS, Math.max(FIRST_SILENCE_MS, left));
}

/** Somebody who hands on what is still coming to itself, and was asked for it. */
export interface Follow {
  /** As it announced, believed within bounds. */
  readonly hops: number;
  /** It gave so far. */
  readonly blocks: number;
  /** ms since it was asked. */
  readonly openFor: number;
  /** How many before it gave nothing: each halves the wait for the first block, so that no number of them holds us up for long. One fewer where it may be waiting for other sites. */
  readonly doubts: number;
}

/** How long it may be silent, ms: it can't be faster than the line. */
export function followPatience({ hops, blocks, openFor, doubts }: Follow): number {
  const chain = Math.min(hops, MAX_HOPS) * HOP_PATIENCE_MS;
  if (blocks === 0) return Math.max(SILENCE_MS, (chain + FIRST_BYTE_MS) / 2 ** doubts);
  return chain + Math.min(FOLLOW_SILENCE_MAX_MS, Math.max(SILENCE_MS, (FOLLOW_PAUSES * openFor) / blocks));
}

/** Blocks that a neighbour gave since its first one, which is -1 before that; the milliseconds that took; and how many it still owes. */
export interface Pace {
  readonly blocks: number;
  readonly openFor: number;
  readonly due: number;
}

/**
 * Would the rest come too late, were the neighbour to go on as it did? `slack` as above. Before its first block, and as long as a silence
 * after it, nobody can tell.
 */
export function isTooSlow({ blocks, openFor, due }: Pace, slack: number): boolean {
  if (blocks < 0 || openFor < SILENCE_MS) return false;
  const time = Math.max(PACE_MS, timeLeft(slack));
  return (openFor / Math.max(blocks, 1)) * due > time;
}

/**
 * The same of one that hands on what is still coming to itself. Where the line is slow for all, another could do no better: so it must be far
 * too slow, and it is those nearest to who crosses that find out first.
 */
export const isCrossingTooSlow = (pace: Pace, slack: number, hops: number): boolean =>
  pace.blocks >= SLOW_CROSSING_BLOCKS + hops &&
  pace.openFor > SLOW_CROSSING_BLOCK_MS * pace.blocks &&
  isTooSlow(pace, slack);
