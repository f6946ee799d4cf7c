/** Which of a media element's sources plays, and by what: decisions on plain data. */

/** `unknown`: the URL does not tell; ask the origin for the content type. */
export type SourceKind = 'hls' | 'file' | 'unknown';

export interface VideoSource {
  readonly url: string;
  readonly kind: SourceKind;
}

/** A `<source>` child. */
export interface Candidate {
  readonly src: string;
  /** '': not said. */
  readonly type: string;
  /** Media query; '': any. */
  readonly media: string;
}

const HLS_TYPES = /^\s*(?:application|audio)\/(?:vnd\.apple\.mpegurl|x-mpegurl|mpegurl)\b/i;
const HLS_PATH = /\.m3u8$/i;
const FILE_PATH = /\.(?:mp4|m4v|m4a|webm|weba|ogv|ogg|oga|opus|mov|mp3|aac|flac|wav|mkv)$/i;

export const isHlsType = (type: string): boolean => HLS_TYPES.test(type);

/** By its type where that is said, else by its path. */
export function kindOf(url: URL, type = ''): SourceKind {
  if (isHlsType(type)) return 'hls';
  if (type !== '' || !/^https?:$/.test(url.protocol)) return 'file';
  if (HLS_PATH.test(url.pathname)) return 'hls';
  return FILE_PATH.test(url.pathname) ? 'file' : 'unknown';
}

/** `src` where it is set, else the first `<source>` that the browser can play, as HTML says. null: nothing to play. */
export function chooseSource(
  src: string | null,
  candidates: readonly Candidate[],
  base: string,
  canPlay: (type: string) => boolean,
  matches: (mediaQuery: string) => boolean,
): VideoSource | null {
  const fits = ({ type, media }: Candidate): boolean =>
    (type === '' || isHlsType(type) || canPlay(type)) && (media === '' || matches(media));
  const chosen =
    src === null ? candidates.find((candidate) => candidate.src !== '' && fits(candidate)) : { src, type: '' };
  if (!chosen || chosen.src.trim() === '' || !URL.canParse(chosen.src, base)) return null;
  const url = new URL(chosen.src, base);
  return { url: url.href, kind: kindOf(url, chosen.type) };
}

/** What the attribute `abr` says. */
export function abrOf(abr: string | null, warn: (message: string) => void): 'swarm' | 'player' {
  if (abr === 'player') return 'player';
  if (abr !== null && abr !== 'swarm')
    warn(
      `<p2p-video abr="${abr.slice(0, 100)}"> is not understood: expected "swarm" or "player". For now it counts as "swarm".`,
    );
  return 'swarm';
}

const PRELOADS = ['auto', 'metadata', 'none'] as const;

/** What hls.js may load before the viewer plays. Nothing said: all, as plain hls.js does. */
export function preloadOf(preload: string | null, autoplay: boolean): (typeof PRELOADS)[number] {
  return (!autoplay && PRELOADS.find((known) => known === preload?.toLowerCase())) || 'auto';
}
