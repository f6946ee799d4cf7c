import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dirent } from 'node:fs';
import { MAX_MEDIA_DEPTH, MAX_MEDIA_FILES } from '../limits.ts';
import { isGone } from './hash-file.ts';

/** What `p2p-elements manifest DIR` writes into the folder; never listed itself. */
export const MANIFEST_FILE = 'p2p-manifest.json';
export const LEAVES_FOLDER = 'p2p/leaves';

/**
 * All files under a folder that may be shared, sorted: no dotfiles, no `*.tmp`, not our own manifest and leaves. Follows symbolic links,
 * each folder once. Files and folders that vanish meanwhile are left out.
 * @returns paths below `folder` with `/` between the parts, at most 100,000
 */
export async function mediaFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = async (relative: string, depth: number): Promise<void> => {
    const absolute = join(folder, relative);
    const real = await unlessGone(realpath(absolute));
    if (real === undefined || seen.has(real) || depth > MAX_MEDIA_DEPTH) return;
    seen.add(real);
    const entries = (await unlessGone(readdir(absolute, { withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      if (found.length >= MAX_MEDIA_FILES) return;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (isHidden(entry.name) || path === MANIFEST_FILE || path === LEAVES_FOLDER) continue;
      const kind = await kindOf(join(folder, path), entry);
      if (kind === 'folder') await visit(path, depth + 1);
      else if (kind === 'file') found.push(path);
    }
  };
  await visit('', 0);
  // by code units, so that the order is the same on every machine
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** Dotfiles, files that are being written, and names that are not UTF-8 (Node shows those with U+FFFD and can't open them). */
const isHidden = (name: string): boolean =>
  name.startsWith('.') || name.endsWith('.tmp') || name.includes('\uFFFD') || name.includes('\\');

async function kindOf(absolute: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  const stats = entry.isSymbolicLink() ? await unlessGone(stat(absolute)) : entry;
  if (stats?.isDirectory() === true) return 'folder';
  return stats?.isFile() === true ? 'file' : 'other';
}

async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
