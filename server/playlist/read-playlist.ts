import { readFile } from 'node:fs/promises';
import { isGone, statFile } from '../digests/hash-file.ts';
import { MAX_PLAYLIST_BYTES } from '../limits.ts';
import { parsePlaylist, type Playlist } from './playlist.ts';

export interface ReadPlaylist {
  readonly text: string;
  readonly playlist: Playlist;
}

export const isPlaylistPath = (path: string): boolean => /\.m3u8?$/i.test(path);

/** @returns undefined if the file is gone, larger than 4 MiB, not UTF-8 or no HLS playlist: then it is a file like any other */
export async function readPlaylist(path: string): Promise<ReadPlaylist | undefined> {
  const stats = await statFile(path);
  if (stats === undefined || stats.size > MAX_PLAYLIST_BYTES) return undefined;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) return undefined;
  const playlist = parsePlaylist(text);
  return playlist === undefined ? undefined : { text, playlist };
}
