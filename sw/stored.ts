/** What the engine keeps on the disk, for answers that need no engine. */
import { ASSET_CACHE, assetKey } from '../protocol/asset-cache.ts';
import { MAX_PART_BYTES } from '../protocol/limits.ts';
import type { ByteRange, ShareableFile } from '../protocol/page.ts';

/** Bytes of a file; an answer with all of it where it was kept as one, which no script then has to carry; null: not all of them are here. */
export async function stored(
  storage: CacheStorage,
  { size, type, parts }: ShareableFile,
  { start, end }: ByteRange,
): Promise<Response | Blob | null> {
  const partSize = parts.length === 1 ? size : MAX_PART_BYTES;
  const pieces: Blob[] = [];
  for (let index = Math.floor(start / partSize); index * partSize < end; index++) {
    const digest = parts[index];
    const first = index * partSize;
    const key = digest && assetKey({ digest, size: Math.min(partSize, size - first) });
    const found = key && (await storage.match(key, { cacheName: ASSET_CACHE }).catch(() => undefined));
    if (!found) return null;
    if (end - start === size && parts.length === 1 && found.headers.get('content-type') === type) return found;
    pieces.push((await found.blob()).slice(Math.max(0, start - first), end - first));
  }
  return new Blob(pieces);
}
