/** Segments of a rendition with the digests that its playlist tells. hls.js keeps tags that it doesn't know in `fragment.tagList`. */
import type { Fragment, LevelDetails } from 'hls.js';
import { P2PError } from '../../protocol/error.ts';
import type { AssetName, Digest } from '../../protocol/ids.ts';
import { nameInTags } from '../../protocol/playlist-tag.ts';
import { nameKey, names } from './names.ts';
import { MAX_WANTS } from '../../protocol/limits.ts';
import { warnOnce } from '../../mesh/index.ts';
import type { Upcoming } from './expected-assets.ts';

export interface Segment {
  /** Seconds from the start of the stream. */
  readonly start: number;
  readonly end: number;
  /** null: neither the playlist nor the digest service tells it (yet). */
  readonly digest: Digest | null;
  readonly fragment: Fragment;
}

/** Digest and size of a fragment; null where it has none. A malformed tag warns once. */
export function nameOfFragment(fragment: Pick<Fragment, 'tagList' | 'byteRange' | 'url'>): AssetName | null {
  try {
    return nameInTags(fragment.tagList, fragment.byteRange) ?? names.get(nameKey(fragment)) ?? null;
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
      start: fragment.start,
      end: fragment.end,
      get digest() {
        return nameOfFragment(fragment)?.digest ?? null;
      },
      fragment,
    }));
    known.set(details, segments);
  }
  return segments;
}

/** What is to come of a track between two positions (seconds), initialization segments that hls.js does not have yet before their first segment. */
export function upcomingOf(segments: readonly Segment[], from: number, until: number): Upcoming[] {
  const coming = segmentsAfter(segments, from, MAX_WANTS).filter(
    ({ start, fragment }) => start < until && !fragment.gap,
  );
  return coming.flatMap(({ start, fragment }) => {
    const init = fragment.initSegment;
    return [...(init && !init.data ? assetOf(init, start) : []), ...assetOf(fragment, start)];
  });
}

/** Without a name nothing can be fetched ahead. */
function assetOf(fragment: Fragment, start: number): Upcoming[] {
  const name = nameOfFragment(fragment);
  const [from, to] = fragment.byteRange;
  const range = from !== undefined && to !== undefined ? { range: { start: from, end: to } } : {};
  return name ? [{ url: fragment.url, name, start, ...range }] : [];
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
export function segmentsAfter<S extends Pick<Segment, 'end'>>(
  segments: readonly S[],
  position: number,
  count: number,
): readonly S[] {
  const first = segments.findIndex(({ end }) => end > position + 0.1);
  return first < 0 ? [] : segments.slice(first, first + count);
}
