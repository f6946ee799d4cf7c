import { createHash } from 'node:crypto';
import { BLOCK_BYTES, MAX_ASSET_BYTES } from '../../protocol/limits.ts';

export interface HashedStream {
  /** Bytes. */
  readonly size: number;
  /** 32 bytes for each block of 64 KiB. */
  readonly leaves: Uint8Array<ArrayBuffer>;
}

/**
 * Hashes a body block by block while it comes; holds nothing of it.
 * @returns undefined if it is empty, or larger than `limit` bytes: then the rest of it is not read
 * @throws what the stream throws
 */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  limit = MAX_ASSET_BYTES,
): Promise<HashedStream | undefined> {
  const leaves: Buffer[] = [];
  let size = 0;
  let block = createHash('sha256');
  for await (const chunk of chunks) {
    if (size + chunk.length > limit) return undefined;
    for (let offset = 0; offset < chunk.length;) {
      const part = chunk.subarray(offset, offset + BLOCK_BYTES - (size % BLOCK_BYTES));
      block.update(part);
      offset += part.length;
      size += part.length;
      if (size % BLOCK_BYTES !== 0) continue;
      leaves.push(block.digest());
      block = createHash('sha256');
    }
  }
  if (size % BLOCK_BYTES !== 0) leaves.push(block.digest());
  return size === 0 ? undefined : { size, leaves: Uint8Array.from(Buffer.concat(leaves)) };
}
