/**
 * What the server needs to know of an HLS playlist (RFC 8216): what it lists, and on which lines. Pure; players read playlists with a real parser.
 */
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';

export interface Segment {
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  /** Line of its #EXTINF, counted from 0; its digest tag goes before it. */
  readonly line: number;
  /** Lines of digest tags that the playlist already has for it. */
  readonly tagLines: readonly number[];
  readonly byteRange: boolean;
  readonly gap: boolean;
  readonly discontinuity: boolean;
  /** The attributes of the #EXT-X-MAP that holds for it, as written. */
  readonly map: string | undefined;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  /** No segment will be added or taken away: it has an #EXT-X-ENDLIST. */
  readonly ended: boolean;
  readonly segments: readonly Segment[];
  readonly keys: readonly string[];
  readonly maps: readonly string[];
}

export interface MultivariantPlaylist {
  readonly kind: 'multivariant';
  /** URIs of its media playlists, in order, each once: variants first, then renditions and I-frame playlists. */
  readonly playlists: readonly string[];
  readonly keys: readonly string[];
}

export type Playlist = MediaPlaylist | MultivariantPlaylist;

/** A segment gets a digest tag if the whole file is the segment. Cipher text (#EXT-X-KEY) is shared like any other. */
export const isTaggable = (segment: Segment): boolean => !segment.byteRange && !segment.gap;

/** @returns undefined if the text is not a playlist */
export function parsePlaylist(text: string): Playlist | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  if (lines[0]?.replace(/^\uFEFF/, '').startsWith('#EXTM3U') !== true) return undefined;
  return lines.some((line) => /^#EXT-X-(STREAM-INF|I-FRAME-STREAM-INF|MEDIA):/.test(line))
    ? parseMultivariant(lines)
    : parseMedia(lines);
}

function parseMultivariant(lines: readonly string[]): MultivariantPlaylist {
  const variants = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return {
    kind: 'multivariant',
    playlists: [...new Set([...variants, ...urisOf(lines, /^#EXT-X-(MEDIA|I-FRAME-STREAM-INF):/)])],
    keys: urisOf(lines, /^#EXT-X-SESSION-KEY:/),
  };
}

interface Pending {
  line: number;
  duration: number;
  tagLines: number[];
  byteRange: boolean;
  gap: boolean;
  discontinuity: boolean;
}

const nothingPending = (): Pending => ({
  line: -1,
  duration: 0,
  tagLines: [],
  byteRange: false,
  gap: false,
  discontinuity: false,
});

function parseMedia(lines: readonly string[]): MediaPlaylist {
  const segments: Segment[] = [];
  let pending = nothingPending();
  let map: string | undefined;
  lines.forEach((line, index) => {
    const [tag, value] = split(line);
    if (tag === '#EXTINF') Object.assign(pending, { line: index, duration: Number.parseFloat(value) || 0 });
    else if (tag === `#${DIGEST_TAG}`) pending.tagLines.push(index);
    else if (tag === '#EXT-X-BYTERANGE') pending.byteRange = true;
    else if (tag === '#EXT-X-GAP') pending.gap = true;
    else if (tag === '#EXT-X-DISCONTINUITY') pending.discontinuity = true;
    else if (tag === '#EXT-X-MAP') map = value;
    else if (line !== '' && !line.startsWith('#')) {
      // a URI without an #EXTINF is against the RFC; players skip it, so do we
      if (pending.line >= 0) segments.push({ uri: line, map, ...pending });
      pending = nothingPending();
    }
  });
  return {
    kind: 'media',
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments,
    keys: urisOf(lines, /^#EXT-X-(SESSION-)?KEY:/),
    maps: urisOf(lines, /^#EXT-X-MAP:/),
  };
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
}

/** The URI attributes of the lines with one of these tags, each once. */
function urisOf(lines: readonly string[], tag: RegExp): string[] {
  return [...new Set(lines.filter((line) => tag.test(line)).flatMap((line) => uriAttribute(line) ?? []))];
}

/** The URI attribute of an attribute list (RFC 8216, 4.2). */
export const uriAttribute = (attributes: string): string | undefined => /(?:^|[:,])URI="([^"]*)"/.exec(attributes)?.[1];
