import { join } from 'node:path';
import type { Logger } from '../log.ts';
import type { Digests } from './digests.ts';
import { fileOfReference } from '../media-path.ts';
import { listedIn } from '../playlist/tag-playlist.ts';
import { readMediaLibrary } from './media-library.ts';
import { taggedWhenServed } from './select-assets.ts';

/** Hashes the whole folder in the background, one file after the other, so that requests find the digests ready. Ends early when `digests` is closed. */
export async function warmDigests(folder: string, digests: Digests, log: Logger): Promise<void> {
  const startedAt = Date.now();
  try {
    const { all, readPlaylists } = await readMediaLibrary(folder, taggedWhenServed);
    for (const file of all) await digests.of(join(folder, file));
    for (const [path, { playlist }] of readPlaylists) {
      for (const { uri, range } of playlist.kind === 'media' ? listedIn(playlist) : []) {
        const file = range && fileOfReference(path, uri);
        if (file !== undefined) await digests.nameOf(join(folder, file), range);
      }
    }
    log.info({ files: all.length, milliseconds: Date.now() - startedAt }, 'all media files are hashed');
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return;
    log.error({ err: error }, 'hashing in the background failed; files are hashed when asked for');
  }
}
