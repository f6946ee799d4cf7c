/** Bringing an asset from other sites: of which blocks a source may choose, and when the origin does it instead. Decisions only. */
import {
  OUTSIDE_CHOICE_BLOCKS,
  OUTSIDE_CROWD_MS,
  OUTSIDE_FIRST_BYTE_MS,
  OUTSIDE_LATER_MS,
  OUTSIDE_LULL_MS,
  OUTSIDE_PATIENCE_MAX_MS,
  OUTSIDE_RATE_MS,
  OUTSIDE_RATE_SHARE,
  OUTSIDE_SLACK_SHARE,
} from './limits.ts';
import { timeLeft } from './patience.ts';

/** How it goes so far. */
export interface OutsideProgress {
  /** Bytes that have not come. */
  readonly missing: number;
  /** Bytes that came from all sources together since the first block, which tells nothing of the rate, and for how many ms; null: it has not come. */
  readonly gained: { readonly bytes: number; readonly within: number } | null;
  /** ms since the first source was asked, whether it had room for us or not. */
  readonly openFor: number;
  /** ms since a block came. */
  readonly lull: number;
  /** ms until the asset is needed; Infinity: not known, so perhaps at once. */
  readonly slack: number;
  /** ms that the missing bytes would take from the origin, and that they would take if each of our site took its own copy there. */
  readonly originTime: { readonly once: number; readonly each: number };
}

/**
 * Would it come too late from outside? Who is alone at its site and has no time to spare takes it from the origin at once: nobody waits behind it,
 * and its picture stands still. What the origin could still bring in time is left to it only when three quarters of the spare time would
 * be gone, so that a run of slow assets does not eat up the buffer. Who has no time to spare waits hardly longer than without P2P. So does who
 * waits for the last blocks, which say nothing of their own pace. With no block yet, who has companions that wait too gives up after half of that time, but not at once.
 */
export function isTooLate({ missing, gained, openFor, lull, slack, originTime }: OutsideProgress): boolean {
  const { once, each } = originTime;
  const spare = timeLeft(slack) - once;
  const isAlone = each <= once;
  if (isAlone && spare <= 0 && slack !== Infinity) return true;
  const later = Math.min(each - once, OUTSIDE_CROWD_MS) + OUTSIDE_LATER_MS;
  const most = spare > 0 ? Math.min(OUTSIDE_PATIENCE_MAX_MS, spare * OUTSIDE_SLACK_SHARE) : once + later;
  if (!gained)
    return openFor > Math.min(spare > 0 ? most : later, Math.max(OUTSIDE_FIRST_BYTE_MS, isAlone ? most : most / 2));
  const { bytes, within } = gained;
  const share = OUTSIDE_RATE_SHARE[spare <= 0 ? 'hurry' : isAlone ? 'alone' : 'company'];
  const isJudged = within >= Math.max(OUTSIDE_RATE_MS, Math.min(OUTSIDE_PATIENCE_MAX_MS, most * share));
  const longest = isAlone ? most : Math.min(most, OUTSIDE_LULL_MS);
  return lull > longest || (isJudged && missing * within > bytes * most);
}

/**
 * Blocks of which a source is asked for one: its share of the missing ones, of those that it has, the rarest among the sources first, so that
 * none stays with few.
 * @param missing ascending; nobody is asked for them
 * @param sources how many of our sources have this block
 * @param free requests that may be made now, this one included
 * @param draw in [0, 1): at which block we begin among equals, for each peer another
 */
export function choiceOf(
  missing: readonly number[],
  has: (block: number) => boolean,
  sources: (block: number) => number,
  free: number,
  draw: number,
): readonly number[] {
  const next = missing.slice(0, OUTSIDE_CHOICE_BLOCKS);
  const start = Math.floor(draw * next.length);
  return [...next.slice(start), ...next.slice(0, start)]
    .filter(has)
    .sort((a, b) => sources(a) - sources(b))
    .slice(0, Math.ceil(next.length / Math.max(1, free)))
    .sort((a, b) => a - b);
}
