/** `#EXT-X-P2P-DIGEST:<digest>,<size>` before a segment in a media playlist (RFC 8216, 4.1: players ignore tags they don't know). */
import { P2PError } from './error.ts';
import { isAssetSize, isDigest, type AssetName } from './ids.ts';

/** The tag's name without the leading `#`. */
export const DIGEST_TAG = 'EXT-X-P2P-DIGEST';

export const formatDigestTag = (name: AssetName): string => `#${DIGEST_TAG}:${name.digest},${name.size}`;

/**
 * The asset that a segment's tags name; null: they name none. Of a byte range digest and size are those of the range: a tag with another size was
 * made by somebody who meant the whole file.
 * @param tags name and value each
 * @param range bytes `[start, end)`; empty: all of the URL
 * @throws P2PError `bad-playlist-tag`
 */
export function nameInTags(tags: readonly (readonly string[])[], range: readonly number[]): AssetName | null {
  const tag = tags.find(([name]) => name === DIGEST_TAG);
  if (!tag) return null;
  const name = parseDigestTag(tag[1] ?? '');
  const [start = 0, end] = range;
  return end === undefined || end - start === name.size ? name : null;
}

/** Parses what stands behind `#EXT-X-P2P-DIGEST:`. @throws P2PError `bad-playlist-tag` */
export function parseDigestTag(untrusted: string): AssetName {
  const [digest, sizeText = '', ...rest] = untrusted.trim().split(',');
  const size = /^\d{1,10}$/.test(sizeText) ? Number(sizeText) : NaN;
  if (isDigest(digest) && isAssetSize(size) && rest.length === 0) return { digest, size };
  throw new P2PError(
    'bad-playlist-tag',
    `Expected #${DIGEST_TAG}:<64 hex digits>,<size in bytes>, got "${untrusted.slice(0, 100)}". The segment comes from the origin; write the playlist's tags anew.`,
    { tag: untrusted.slice(0, 100) },
  );
}
