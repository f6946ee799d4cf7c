import { nameOf } from '../../protocol/digest.ts';
import { MAX_MANIFEST_ENTRIES, MAX_PART_BYTES } from '../../protocol/limits.ts';
import type { Manifest, ManifestEntry } from '../../protocol/manifest.ts';
import { contentType } from '../content-type.ts';
import { sha256 } from '../sha256.ts';
import type { Digests, FileDigest } from './digests.ts';

/** The manifest entry of a file: one asset up to 16 MiB, parts above. */
export function entryOfFile(path: string, { size, whole, parts }: FileDigest): ManifestEntry {
  const type = contentType(path);
  return size <= MAX_PART_BYTES && whole !== undefined ? { digest: whole.digest, size, type } : { parts, size, type };
}

/** The manifest entry of a body that the server makes, whose leaves it then has to give out. A playlist is at most a few MiB. */
export async function entryOfBody(
  path: string,
  body: Uint8Array<ArrayBuffer>,
  digests: Digests,
): Promise<ManifestEntry> {
  const { digest, size, leaves } = await nameOf(body, sha256);
  digests.keepLeaves(digest, leaves);
  return { digest, size, type: contentType(path) };
}

/**
 * @param entries URL path → entry
 * @returns the manifest with its paths in order, so that equal content gives equal bytes; what is beyond 20,000 entries is left out
 */
export function manifestOf(leaves: string, entries: ReadonlyMap<string, ManifestEntry>): Manifest {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_MANIFEST_ENTRIES);
  return { version: 1, leaves, assets: Object.fromEntries(sorted) };
}
