import { join } from 'node:path';
import { isPlaylistPath, readPlaylist, type ReadPlaylist } from '../playlist/read-playlist.ts';
import { mediaFiles } from './media-files.ts';
import { selectAssets, type SelectedAssets, type Selection } from './select-assets.ts';

export interface MediaLibrary extends SelectedAssets {
  /** All files, also those that are in no manifest. */
  readonly all: readonly string[];
  readonly readPlaylists: ReadonlyMap<string, ReadPlaylist>;
}

/**
 * Looks through a media folder: which files there are, what the playlists say, and what belongs in the manifest.
 * @param prefix URL path of the folder, with both slashes; default `/media/`
 */
export async function readMediaLibrary(
  folder: string,
  tagged: Selection['tagged'],
  prefix?: string,
): Promise<MediaLibrary> {
  const all = await mediaFiles(folder);
  const readPlaylists = new Map<string, ReadPlaylist>();
  for (const path of all.filter(isPlaylistPath)) {
    const read = await readPlaylist(join(folder, path));
    if (read !== undefined) readPlaylists.set(path, read);
  }
  return { all, readPlaylists, ...selectAssets({ files: all, playlists: readPlaylists, tagged, prefix }) };
}
