import type { AssetName } from '../../protocol/ids.ts';
import { formatDigestTag } from '../../protocol/playlist-tag.ts';
import { LIVE_WINDOW_SEGMENTS } from '../limits.ts';

export interface LiveSegment {
  /** As it stands in the playlist. */
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  readonly name: AssetName | undefined;
  readonly map: LiveMap | undefined;
  /** Its timestamps do not go on from those of the segment before. */
  readonly discontinuity: boolean;
}

/** The #EXT-X-MAP of a segment. */
export interface LiveMap {
  readonly attributes: string;
  readonly name: AssetName | undefined;
}

/**
 * A live media playlist (RFC 8216, 6.2.2) that plays `segments` over and over in real time: the newest six that are complete at `now`.
 * At `startedAt` the first six are already there, so a player can start at once. Each loop begins with a discontinuity; those within it stay.
 * @param segments at least one, with a duration in all
 * @param now, startedAt milliseconds since 1970, now ≥ startedAt
 */
export function livePlaylist(segments: readonly LiveSegment[], now: number, startedAt: number): string {
  const starts = startsOf(segments);
  // the stream began so much earlier that a whole window is complete at startedAt
  const beganAt = startedAt - 1000 * starts(LIVE_WINDOW_SEGMENTS);
  const elapsed = (now - beganAt) / 1000;
  const loopSeconds = starts(segments.length);
  let end = Math.floor(elapsed / loopSeconds) * segments.length;
  // a hair of tolerance: sums of durations such as 3.84 are not exact
  while (starts(end + 1) <= elapsed + 1e-6) end++;
  const first = Math.max(0, end - LIVE_WINDOW_SEGMENTS);

  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${Math.max(...segments.map((segment) => Math.ceil(segment.duration)))}`,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    // of the discontinuities, those of segments that left the window; the first segment's own tag still counts on top
    `#EXT-X-DISCONTINUITY-SEQUENCE:${breaksBefore(segments, first)}`,
  ];
  let map: string | undefined;
  for (let index = first; index < end; index++) {
    const segment = segments[index % segments.length];
    if (segment === undefined) break;
    if (index > 0 && isBreak(segments, index)) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.map !== undefined && segment.map.attributes !== map) {
      if (segment.map.name !== undefined) lines.push(formatDigestTag(segment.map.name));
      lines.push(`#EXT-X-MAP:${segment.map.attributes}`);
    }
    map = segment.map?.attributes;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(beganAt + 1000 * starts(index)).toISOString()}`);
    if (segment.name !== undefined) lines.push(formatDigestTag(segment.name));
    lines.push(`#EXTINF:${segment.duration.toFixed(5)},`, segment.uri);
  }
  return `${lines.join('\n')}\n`;
}

/** Seconds from the beginning to the start of the segment with this number, loops counted. */
function startsOf(segments: readonly LiveSegment[]): (number: number) => number {
  const sums = [0];
  for (const { duration } of segments) sums.push((sums.at(-1) ?? 0) + duration);
  const loop = sums.at(-1) ?? 0;
  return (number) => Math.floor(number / segments.length) * loop + (sums[number % segments.length] ?? 0);
}

const isBreak = (segments: readonly LiveSegment[], number: number): boolean =>
  number % segments.length === 0 || segments[number % segments.length]?.discontinuity === true;

/** Discontinuities before the segment with this number. The stream's very first segment begins with none. */
function breaksBefore(segments: readonly LiveSegment[], number: number): number {
  const last = Math.max(0, number - 1);
  const within = (count: number): number =>
    segments.slice(0, count).filter((_, index) => isBreak(segments, index)).length;
  return (
    Math.floor(last / segments.length) * within(segments.length) + within((last % segments.length) + 1) - within(1)
  );
}
