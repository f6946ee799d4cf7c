import type { Held } from '../../protocol/page.ts';
import { BANDWIDTH_SHARE, HELD_RUN_SEGMENTS } from './limits.ts';

/** One rendition, as the choice sees it. */
export interface RenditionView {
  /** Bits per second. */
  readonly bitrate: number;
  /** Who holds its next segments, the next one first. Empty: not known. */
  readonly held: readonly Held[];
}

export interface RenditionQuestion {
  /** In the player's order: rising bitrate. */
  readonly renditions: readonly RenditionView[];
  /** What the player's own rules would choose. */
  readonly suggested: number;
  readonly originReachable: boolean;
  /** Bits per second that the line is thought to carry. */
  readonly estimate: number;
  /** The highest index allowed. Default: any. */
  readonly cap?: number;
}

/**
 * The rendition for the next segment. While the origin is there, the player's own rules decide. When it is gone, only what is in the store
 * or at a neighbour can be played: the rendition with the longest run of held segments ahead, and of several the best one that the line
 * carries (what is in the store needs no line). When nobody holds anything, the suggestion stands: it is as good a way to wait as any.
 */
export function chooseRendition({
  renditions,
  suggested,
  originReachable,
  estimate,
  cap = renditions.length - 1,
}: RenditionQuestion): number {
  if (originReachable) return suggested;
  const candidates = renditions
    .map((rendition, index) => ({ index, run: heldRun(rendition.held), affordable: isAffordable(rendition, estimate) }))
    .filter(({ index, run }) => index <= cap && run > 0);
  const longest = Math.max(0, ...candidates.map(({ run }) => run));
  const best = candidates.filter(({ run }) => run === longest);
  const affordable = best.filter((candidate) => candidate.affordable);
  return affordable.at(-1)?.index ?? best[0]?.index ?? suggested;
}

/** Held segments from the next one on, counted no further than what makes a difference. */
function heldRun(held: readonly Held[]): number {
  const next = held.slice(0, HELD_RUN_SEGMENTS);
  const missing = next.indexOf('nobody');
  const run = missing < 0 ? next.length : missing;
  // At the end of the stream fewer segments are left than a full run has; holding all of them is as good.
  return run > 0 && run === held.length ? HELD_RUN_SEGMENTS : run;
}

const isAffordable = ({ bitrate, held }: RenditionView, estimate: number): boolean =>
  held[0] === 'store' || bitrate <= BANDWIDTH_SHARE * estimate;
