/** Segments of a rendition with the digests that its playlist tells. hls.js keeps tags that it doesn't know in `fragment.tagList`. */
import type { Fragment, LevelDetails } from 'hls.js';
import { P2PError } from '../../protocol/error.ts';
import type { AssetName, Digest } from '../../protocol/ids.ts';
import { DIGEST_TAG, parseDigestTag } from '../../protocol/playlist-tag.ts';
import { warnOnce } from '../warn.ts';

export interface Segment {
  /** Seconds from the start of the stream. */
  readonly end: number;
  /** null: the playlist does not tell it. */
  readonly digest: Digest | null;
}

/** Digest and size of a fragment; null where it has none, or where only a range of the URL is meant. A malformed tag warns once. */
export function nameOfFragment(fragment: Pick<Fragment, 'tagList' | 'byteRange'>): AssetName | null {
  const tag = fragment.tagList.find(([name]) => name === DIGEST_TAG);
  if (!tag || fragment.byteRange.length > 0) return null;
  try {
    return parseDigestTag(tag[1] ?? '');
  } catch (error) {
    if (error instanceof P2PError) warnOnce(error.message, 'malformed digest tag');
    return null;
  }
}

const known = new WeakMap<LevelDetails, readonly Segment[]>();

/** The segments of a playlist that hls.js has parsed. */
export function segmentsOf(details: LevelDetails): readonly Segment[] {
  let segments = known.get(details);
  if (!segments) {
    segments = details.fragments.map((fragment) => ({
      end: fragment.end,
      digest: nameOfFragment(fragment)?.digest ?? null,
    }));
    known.set(details, segments);
  }
  return segments;
}

/** Holes up to this many seconds are played over: hls.js's maxFragLookUpTolerance. */
const HOLE_SECONDS = 0.25;

/**
 * Up to where, in seconds, playing on from `time` needs nothing more. (hls.js's own `mainForwardBufferInfo` counts the segment under way, also
 * when it has just failed.)
 */
export function bufferedUntil(buffered: Pick<TimeRanges, 'length' | 'start' | 'end'>, time: number): number {
  let until = time;
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= until + HOLE_SECONDS) until = Math.max(until, buffered.end(i));
  }
  return until;
}

/** The next `count` segments of those that end after `position` seconds. A tenth of a second is hls.js's tolerance for holes. */
export function segmentsAfter(segments: readonly Segment[], position: number, count: number): readonly Segment[] {
  const first = segments.findIndex(({ end }) => end > position + 0.1);
  return first < 0 ? [] : segments.slice(first, first + count);
}
