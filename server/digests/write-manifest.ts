/** `p2p-elements manifest DIR`: manifest and leaves as files, for a host that only serves files. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../../protocol/ids.ts';
import { MAX_MANIFEST_ENTRIES } from '../../protocol/limits.ts';
import type { ManifestEntry } from '../../protocol/manifest.ts';
import { urlOfFile } from '../media-path.ts';
import { renderPlaylist } from '../playlist/render-playlist.ts';
import { Digests } from './digests.ts';
import { entryOfFile, manifestOf } from './manifest-entry.ts';
import { LEAVES_FOLDER, MANIFEST_FILE } from './media-files.ts';
import { readMediaLibrary } from './media-library.ts';
import { taggedAsWritten } from './select-assets.ts';

export interface WriteManifestOptions {
  /** Write digest tags into VOD playlists, in place. Default: playlists stay as they are. */
  readonly tagsPlaylists?: boolean;
}

export interface WrittenManifest {
  readonly files: number;
  readonly playlists: number;
  /** Playlists that were written anew, for their tags were missing or old. */
  readonly tagged: number;
  readonly leaves: number;
  /** Leaves of earlier runs that no asset has any more. */
  readonly removed: number;
  /** Files that changed while they were hashed, are empty, or are more than a manifest can hold. */
  readonly leftOut: readonly string[];
}

/** Writes `DIR/p2p-manifest.json` and `DIR/p2p/leaves/<digest>`. The same folder gives the same bytes again. */
export async function writeManifest(
  folder: string,
  { tagsPlaylists = false }: WriteManifestOptions = {},
): Promise<WrittenManifest> {
  const digests = new Digests();
  const { tagged, names } = await tagPlaylists(folder, digests, tagsPlaylists);
  const library = await readMediaLibrary(folder, taggedAsWritten);
  const playlists = new Set(library.playlists);
  const listed = [...library.files, ...playlists].sort((a, b) => (a < b ? -1 : 1));
  const entries = new Map<string, ManifestEntry>();
  const leftOut: string[] = [];
  const leaves = new Set<string>();
  await mkdir(join(folder, LEAVES_FOLDER), { recursive: true });
  for (const path of listed) {
    const digest = entries.size < MAX_MANIFEST_ENTRIES ? await digests.of(join(folder, path)) : undefined;
    if (digest === undefined) {
      leftOut.push(path);
      continue;
    }
    const entry = entryOfFile(path, digest);
    entries.set(urlOfFile(path, ''), entry);
    for (const name of 'parts' in entry ? entry.parts : [entry.digest]) names.add(name);
  }
  for (const name of names) {
    const bytes = await digests.leaves(name);
    if (bytes === undefined) continue; // the file changed just now; the next run will have it
    await writeWhole(join(folder, LEAVES_FOLDER, name), bytes);
    leaves.add(name);
  }
  await writeWhole(
    join(folder, MANIFEST_FILE),
    `${JSON.stringify(manifestOf(`${LEAVES_FOLDER}/`, entries), null, 1)}\n`,
  );
  const removed = await removeOthers(join(folder, LEAVES_FOLDER), leaves);
  const written = [...playlists].filter((path) => !leftOut.includes(path)).length;
  return { files: entries.size - written, playlists: written, tagged, leaves: leaves.size, removed, leftOut };
}

interface Tagged {
  /** Playlists that were written anew. */
  readonly tagged: number;
  /** What all tags name. */
  readonly names: Set<Digest>;
}

/** Those of live streams are left to who writes them. @param mayWrite else only what the tags name is looked up that there are */
async function tagPlaylists(folder: string, digests: Digests, mayWrite: boolean): Promise<Tagged> {
  const { readPlaylists } = await readMediaLibrary(folder, taggedAsWritten);
  const names = new Set<Digest>();
  let tagged = 0;
  for (const [path, { text, playlist }] of readPlaylists) {
    if (playlist.kind !== 'media' || !playlist.ended || !(mayWrite || taggedAsWritten(text))) continue;
    const rendered = await renderPlaylist(folder, path, digests, { isPatient: true });
    if (!rendered) continue;
    for (const { digest } of rendered.names) names.add(digest);
    if (!mayWrite || Buffer.from(rendered.body).equals(Buffer.from(text))) continue;
    await writeWhole(join(folder, path), rendered.body);
    tagged++;
  }
  return { tagged, names };
}

/** A host may be serving the folder: a reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.tmp`, content);
  await rename(`${path}.tmp`, path);
}

async function removeOthers(folder: string, keep: ReadonlySet<string>): Promise<number> {
  const old = (await readdir(folder)).filter((name) => isDigest(name) && !keep.has(name));
  for (const name of old) await rm(join(folder, name));
  return old.length;
}
