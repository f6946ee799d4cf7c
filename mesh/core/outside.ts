/** Bringing an asset from other sites: how many are asked at once, and when the origin does it instead. Decisions only. */
import {
  OUTSIDE_CALM_MS,
  OUTSIDE_CROWD_MS,
  OUTSIDE_FIRST_BYTE_MS,
  OUTSIDE_LATER_MS,
  OUTSIDE_PATIENCE_MAX_MS,
  OUTSIDE_RATE_MS,
  OUTSIDE_RATE_SHARE,
  OUTSIDE_SLACK_SHARE,
  OUTSIDE_SOURCES,
  OUTSIDE_SOURCES_CALM,
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
 * Would it come too late from outside? What the origin could still bring in time is left to it only when three quarters of the spare time would
 * be gone, so that a run of slow assets does not eat up the buffer. Who has no time to spare waits hardly longer than without P2P. So does who
 * waits for the last blocks, which say nothing of their own pace. With no block yet, who has companions that wait too gives up after half of that time, but not at once.
 */
export function isTooLate({ missing, gained, openFor, lull, slack, originTime }: OutsideProgress): boolean {
  const { once, each } = originTime;
  const spare = timeLeft(slack) - once;
  const later = Math.min(each - once, OUTSIDE_CROWD_MS) + OUTSIDE_LATER_MS;
  const most = spare > 0 ? Math.min(OUTSIDE_PATIENCE_MAX_MS, spare * OUTSIDE_SLACK_SHARE) : once + later;
  if (!gained)
    return openFor > Math.min(spare > 0 ? most : later, Math.max(OUTSIDE_FIRST_BYTE_MS, each > once ? most / 2 : most));
  const { bytes, within } = gained;
  const isJudged = within >= Math.max(OUTSIDE_RATE_MS, most * OUTSIDE_RATE_SHARE);
  return lull > most || (isJudged && missing * within > bytes * most);
}

/** How many are asked at once: few by those who have time, so that those who have none find room. */
export const sourcesAtOnce = (slack: number): number =>
  timeLeft(slack) >= OUTSIDE_CALM_MS ? OUTSIDE_SOURCES_CALM : OUTSIDE_SOURCES;
