/** `p2p-manifest.json`: the assets of a web origin that peers may share, with digest, size and type. */
import { P2PError } from './error.ts';
import { isAssetSize, isDigest, type AssetName, type Digest } from './ids.ts';
import { MAX_MANIFEST_ENTRIES, MAX_PART_BYTES } from './limits.ts';
import { shown } from './shown.ts';

/** One file. Up to 16 MiB it is one asset; above, it is a list of parts of 16 MiB, each an asset. */
export type ManifestEntry = { readonly type: string } & (
  AssetName | { readonly size: number; readonly parts: readonly Digest[] }
);

export interface Manifest {
  readonly version: 1;
  /** URL prefix of the block hashes, relative to the manifest's own URL. */
  readonly leaves: string;
  /** URL path (percent-encoded, relative to the manifest's own URL) → entry. */
  readonly assets: Readonly<Record<string, ManifestEntry>>;
}

export const isWholeAsset = (entry: ManifestEntry): entry is ManifestEntry & AssetName => 'digest' in entry;

/**
 * @param untrusted what `JSON.parse` gave
 * @throws P2PError `bad-manifest` naming the first thing that is wrong
 */
export function parseManifest(untrusted: unknown): Manifest {
  if (!isRecord(untrusted)) throw bad('expected an object', untrusted);
  if (untrusted['version'] !== 1) throw bad('"version" must be 1', untrusted['version']);
  const leaves = untrusted['leaves'];
  if (typeof leaves !== 'string') throw bad('"leaves" must be a URL prefix', leaves);
  const assets = untrusted['assets'];
  if (!isRecord(assets)) throw bad('"assets" must be an object of path → entry', assets);
  const paths = Object.entries(assets);
  if (paths.length > MAX_MANIFEST_ENTRIES)
    throw bad(`"assets" has ${paths.length} entries, at most ${MAX_MANIFEST_ENTRIES} are taken`, paths.length);
  const parsed: Record<string, ManifestEntry> = Object.create(null) as Record<string, ManifestEntry>;
  for (const [path, entry] of paths) parsed[path] = parseEntry(path, entry);
  return { version: 1, leaves, assets: parsed };
}

function parseEntry(path: string, untrusted: unknown): ManifestEntry {
  if (!isRecord(untrusted)) throw bad(`the entry of "${path}" must be an object`, untrusted);
  const { digest, size, type, parts } = untrusted;
  if (typeof type !== 'string' || type.length > 200) throw bad(`"type" of "${path}" must be a media type`, type);
  if (isDigest(digest) && isAssetSize(size)) return { digest, size, type };
  if (
    Array.isArray(parts) &&
    typeof size === 'number' &&
    Number.isSafeInteger(size) &&
    size > 0 &&
    parts.length === Math.ceil(size / MAX_PART_BYTES) &&
    parts.every(isDigest)
  ) {
    return { parts, size, type };
  }
  throw bad(`"${path}" must have a digest of 64 hex digits and a size in bytes, or parts of 16 MiB`, digest);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an author does about a manifest that is wrong. */
export const REWRITE_MANIFEST = 'Nothing it lists is shared; rewrite it with "p2p-elements manifest DIR".';

function bad(expected: string, got: unknown): P2PError {
  return new P2PError('bad-manifest', `The manifest can't be used: ${expected}. ${REWRITE_MANIFEST}`, {
    got: shown(got),
  });
}
