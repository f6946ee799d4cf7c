/** The media folder of one run, as an encoder leaves it: every system gets the same. Owns the live encoder's timer. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLoopStart, segmentFile, segmentSize, type Rendition } from './media.ts';
import { SEGMENT_SECONDS } from './options.ts';

/** Segments that stay a while after they have left the playlist. */
const KEPT_SEGMENTS = 4;

export interface MediaFolder {
  readonly path: string;
  /** Of the playlist to play, below the folder. */
  readonly playlist: string;
  /** Path of a segment below the folder → its bytes; also of those that are gone. */
  readonly sizes: ReadonlyMap<string, number>;
  close(): void;
}

interface FolderOptions {
  readonly path: string;
  readonly cache: string;
  readonly renditions: readonly Rendition[];
}

/** `index.m3u8` with its segments; with several renditions a multivariant playlist over `NAME/index.m3u8`. */
export function vodFolder({ path, cache, renditions }: FolderOptions, duration: number): MediaFolder {
  const count = duration / SEGMENT_SECONDS;
  const sizes = new Map<string, number>();
  mkdirSync(path);
  for (const rendition of renditions) {
    const folder = renditions.length === 1 ? '' : `${rendition.name}/`;
    mkdirSync(join(path, folder), { recursive: true });
    const lines = head(0, ['#EXT-X-PLAYLIST-TYPE:VOD']);
    for (let number = 0; number < count; number++) {
      const file = `${folder}seg${number}.ts`;
      symlinkSync(segmentFile(cache, rendition, number), join(path, file));
      sizes.set(file, segmentSize(cache, rendition, number));
      lines.push(`#EXTINF:${SEGMENT_SECONDS},`, `seg${number}.ts`);
    }
    write(path, `${folder}index.m3u8`, [...lines, '#EXT-X-ENDLIST']);
  }
  if (renditions.length > 1) write(path, 'index.m3u8', multivariant(renditions));
  return { path, playlist: 'index.m3u8', sizes, close: () => undefined };
}

function multivariant(renditions: readonly Rendition[]): string[] {
  const entry = ({ name, width, height, kbit }: Rendition): string[] => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${kbit * 1000},RESOLUTION=${width}x${height},CODECS="avc1.42c00d,mp4a.40.2"`,
    `${name}/index.m3u8`,
  ];
  return ['#EXTM3U', '#EXT-X-VERSION:3', ...renditions.flatMap(entry)];
}

/** `live.m3u8`: a window that moves on every segment, while segments appear and go. It began one window ago and loops the media. */
export function liveFolder({ path, cache, renditions }: FolderOptions, window: number): MediaFolder {
  const [rendition] = renditions;
  if (rendition === undefined) throw new Error('A live stream needs a rendition.');
  const sizes = new Map<string, number>();
  const began = Date.now() - window * SEGMENT_SECONDS * 1000;
  const startOf = (number: number): string => new Date(began + number * SEGMENT_SECONDS * 1000).toISOString();
  mkdirSync(path);
  const put = (number: number): void => {
    symlinkSync(segmentFile(cache, rendition, number), join(path, `live${number}.ts`));
    sizes.set(`live${number}.ts`, segmentSize(cache, rendition, number));
  };
  let end = 0;
  const publish = (): void => {
    const first = end - window;
    const lines = head(first, [`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitiesBefore(first)}`]);
    for (let number = first; number < end; number++) {
      if (isLoopStart(number)) lines.push('#EXT-X-DISCONTINUITY');
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${startOf(number)}`, `#EXTINF:${SEGMENT_SECONDS},`, `live${number}.ts`);
    }
    write(path, 'live.m3u8', lines);
  };
  while (end < window) put(end++);
  publish();
  const timer = setInterval(() => {
    put(end++);
    publish();
    rmSync(join(path, `live${end - 1 - window - KEPT_SEGMENTS}.ts`), { force: true });
  }, SEGMENT_SECONDS * 1000);
  return { path, playlist: 'live.m3u8', sizes, close: () => clearInterval(timer) };
}

/** Of the segments that have left the window; the first one's own tag still counts on top. */
const discontinuitiesBefore = (first: number): number =>
  Array.from({ length: first }, (_, number) => number).filter(isLoopStart).length;

const head = (sequence: number, more: readonly string[]): string[] => [
  '#EXTM3U',
  '#EXT-X-VERSION:3',
  `#EXT-X-TARGETDURATION:${SEGMENT_SECONDS}`,
  `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
  ...more,
];

/** In one step, so that nobody reads half of it. */
function write(folder: string, file: string, lines: readonly string[]): void {
  writeFileSync(join(folder, `${file}.tmp`), `${lines.join('\n')}\n`);
  renameSync(join(folder, `${file}.tmp`), join(folder, file));
}
