/** Which files of a media folder belong in a manifest: the decision, over plain data. */
import { dirname, extname } from 'node:path/posix';
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';
import { fileOfReference } from '../media-path.ts';
import type { MediaPlaylist } from '../playlist/playlist.ts';
import { isPlaylistPath, type ReadPlaylist } from '../playlist/read-playlist.ts';

export interface SelectedAssets {
  /** Ordinary files. */
  readonly files: readonly string[];
  /** Playlists that will not change. */
  readonly playlists: readonly string[];
}

export interface Selection {
  /** Relative paths of all files of the folder. */
  readonly files: readonly string[];
  /** Those of them that are playlists. */
  readonly playlists: ReadonlyMap<string, ReadPlaylist>;
  /** Does the playlist as it is served have a digest tag for each segment? Then these need no place in the manifest. */
  readonly tagged: (text: string) => boolean;
  /** URL path of the folder, with both slashes. Default `/media/`. */
  readonly prefix?: string | undefined;
}

/** For our own server, which tags every playlist that it serves. */
export const taggedWhenServed = (): boolean => true;

/** For a static host: as the file stands. */
export const taggedAsWritten = (text: string): boolean => text.includes(`#${DIGEST_TAG}:`);

/**
 * Listed are all files except: AES keys; segments that have their digest in a playlist; live playlists, and multivariant ones not all of whose
 * playlists are ours and VOD; what is named like a playlist but can't be read as one (it may be half-written); and, beside a live playlist, all that is of the same type as its segments (segments that left the window,
 * and the next one, which is still being written).
 */
export function selectAssets({ files, playlists, tagged, prefix }: Selection): SelectedAssets {
  const excluded = new Set<string>();
  const kept = new Set<string>();
  const besideLive = new Set<string>();
  for (const [path, { text, playlist }] of playlists) {
    const resolve = (uri: string): string[] => [fileOfReference(path, uri, prefix) ?? []].flat();
    for (const key of playlist.keys.flatMap(resolve)) excluded.add(key);
    if (playlist.kind === 'multivariant') continue;
    for (const map of playlist.maps.flatMap(({ uri }) => resolve(uri))) kept.add(map);
    if (!playlist.ended) for (const segment of segmentsOf(playlist).flatMap(resolve)) besideLive.add(kindOf(segment));
    if (tagged(text)) for (const segment of segmentsOf(playlist).flatMap(resolve)) excluded.add(segment);
  }
  return {
    files: files.filter(
      (path) => !isPlaylistPath(path) && !excluded.has(path) && (kept.has(path) || !besideLive.has(kindOf(path))),
    ),
    playlists: files.filter((path) => isFixed(path, playlists, prefix)),
  };
}

/** Files that are a segment each. Of a file with many, the playlist names only ranges. */
const segmentsOf = (playlist: MediaPlaylist): string[] =>
  playlist.segments.filter(({ taggable, range }) => taggable && !range).map(({ uri }) => uri);

/** Folder and extension. */
const kindOf = (path: string): string => `${dirname(path)}/*${extname(path)}`;

/** Will the playlist stay as it is? */
function isFixed(path: string, playlists: ReadonlyMap<string, ReadPlaylist>, prefix: string | undefined): boolean {
  const playlist = playlists.get(path)?.playlist;
  if (playlist === undefined) return false;
  if (playlist.kind === 'media') return playlist.ended;
  return playlist.playlists.every((uri) => {
    const file = fileOfReference(path, uri, prefix);
    const listed = file === undefined ? undefined : playlists.get(file)?.playlist;
    return listed?.kind === 'media' && listed.ended;
  });
}
