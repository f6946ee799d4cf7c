import { join } from 'node:path';
import type { Logger } from '../log.ts';
import type { Digests } from './digests.ts';
import { mediaFiles } from './media-files.ts';

/** Hashes the whole folder in the background, one file after the other, so that requests find the digests ready. Ends early when `digests` is closed. */
export async function warmDigests(folder: string, digests: Digests, log: Logger): Promise<void> {
  const startedAt = Date.now();
  try {
    const files = await mediaFiles(folder);
    for (const file of files) await digests.of(join(folder, file));
    log.info({ files: files.length, milliseconds: Date.now() - startedAt }, 'all media files are hashed');
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return;
    log.error({ err: error }, 'hashing in the background failed; files are hashed when asked for');
  }
}
