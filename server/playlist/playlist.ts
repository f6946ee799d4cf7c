/**
 * What the server needs to know of an HLS playlist (RFC 8216): what it lists, and on which lines. Pure; players read playlists with a real parser.
 */
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';

/** Bytes `[start, end)` of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a media playlist lists and a digest tag can name: a segment, or an initialization segment. */
export interface Listed {
  readonly uri: string;
  /** The part of the file that it is; undefined: all of it. */
  readonly range: ByteRange | undefined;
  /** Line of its #EXTINF or #EXT-X-MAP, counted from 0; its digest tag goes before it. */
  readonly line: number;
  /** Lines of digest tags that the playlist already has for it. */
  readonly tagLines: readonly number[];
  /** Gets a digest tag: it has bytes, and it is clear which. Cipher text (#EXT-X-KEY) is shared like any other. */
  readonly taggable: boolean;
}

export interface Segment extends Listed {
  /** Seconds. */
  readonly duration: number;
  readonly discontinuity: boolean;
  /** The #EXT-X-MAP that holds for it. */
  readonly map: InitSegment | undefined;
}

export interface InitSegment extends Listed {
  /** The attributes of the #EXT-X-MAP, as written. */
  readonly attributes: string;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  /** No segment will be added or taken away: it has an #EXT-X-ENDLIST. */
  readonly ended: boolean;
  readonly segments: readonly Segment[];
  readonly keys: readonly string[];
  /** One for each #EXT-X-MAP. */
  readonly maps: readonly InitSegment[];
}

export interface MultivariantPlaylist {
  readonly kind: 'multivariant';
  /** URIs of its media playlists, in order, each once: variants first, then renditions and I-frame playlists. */
  readonly playlists: readonly string[];
  readonly keys: readonly string[];
}

export type Playlist = MediaPlaylist | MultivariantPlaylist;

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
  byteRange: string | undefined;
  gap: boolean;
  discontinuity: boolean;
}

const nothingPending = (): Pending => ({
  line: -1,
  duration: 0,
  tagLines: [],
  byteRange: undefined,
  gap: false,
  discontinuity: false,
});

function parseMedia(lines: readonly string[]): MediaPlaylist {
  const segments: Segment[] = [];
  const maps: InitSegment[] = [];
  let pending = nothingPending();
  let map: InitSegment | undefined;
  lines.forEach((line, index) => {
    const [tag, value] = split(line);
    if (tag === '#EXTINF') Object.assign(pending, { line: index, duration: Number.parseFloat(value) || 0 });
    else if (tag === `#${DIGEST_TAG}`) pending.tagLines.push(index);
    else if (tag === '#EXT-X-BYTERANGE') pending.byteRange = value;
    else if (tag === '#EXT-X-GAP') pending.gap = true;
    else if (tag === '#EXT-X-DISCONTINUITY') pending.discontinuity = true;
    else if (tag === '#EXT-X-MAP') {
      // Behind the #EXTINF there is no place for a tag of its own: players take what stands there for the segment's.
      const placed = pending.line < 0;
      map = initSegment(value, index, placed ? pending.tagLines : [], placed);
      if (placed) pending.tagLines = [];
      maps.push(map);
    } else if (line !== '' && !line.startsWith('#')) {
      // a URI without an #EXTINF is against the RFC; players skip it, so do we
      if (pending.line >= 0) segments.push(segment(line, pending, map, segments.at(-1)));
      pending = nothingPending();
    }
  });
  return {
    kind: 'media',
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments,
    keys: urisOf(lines, /^#EXT-X-(SESSION-)?KEY:/),
    maps,
  };
}

function initSegment(attributes: string, line: number, tagLines: readonly number[], placed: boolean): InitSegment {
  const uri = uriAttribute(attributes) ?? '';
  const written = /(?:^|,)BYTERANGE="([^"]*)"/.exec(attributes)?.[1];
  const range = written === undefined ? undefined : byteRange(written, 0);
  const taggable = placed && uri !== '' && (written === undefined || range !== undefined);
  return { uri, range, line, tagLines, taggable, attributes };
}

function segment(
  uri: string,
  { byteRange: written, gap, ...pending }: Pending,
  map: InitSegment | undefined,
  previous: Segment | undefined,
): Segment {
  // Without an offset a range begins where that of the segment before ends, if both are of one file (RFC 8216, 4.3.2.2).
  const next = previous?.uri === uri ? previous.range?.end : undefined;
  const range = written === undefined ? undefined : byteRange(written, next);
  return { uri, range, map, taggable: !gap && (written === undefined || range !== undefined), ...pending };
}

/** `<length>[@<offset>]`; undefined: malformed, or it has no offset and needs one. */
function byteRange(text: string, otherwise: number | undefined): ByteRange | undefined {
  const [, length = '', offset] = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text.trim()) ?? [];
  const start = offset === undefined ? otherwise : Number(offset);
  return start === undefined || !(Number(length) > 0) ? undefined : { start, end: start + Number(length) };
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
