import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { blockCount } from '../../protocol/digest.ts';
import { BLOCK_BYTES, HASH_BYTES } from '../../protocol/limits.ts';
import { HASH_READ_BYTES } from '../limits.ts';
import { sha256Sync } from '../sha256.ts';

/** Tells one content of a file from another: size, times of last write and change, inode. */
export const versionOf = (stats: Stats): string => `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.ino}`;

/** Bytes `[start, end)` of a file. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

export interface HashedFile {
  /** Bytes that were hashed. */
  readonly size: number;
  readonly version: string;
  /** 32 bytes for each block of 64 KiB. */
  readonly leaves: Uint8Array<ArrayBuffer>;
}

/** Is there a regular file, and which content does it have? Undefined if it is gone: files come and go. */
export async function statFile(path: string): Promise<Stats | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/**
 * Hashes a file, or a range of it, block by block; never holds more than 256 KiB of it. The blocks of a range are counted from its start.
 * @returns undefined if it is gone, empty, ends before the range does, or was written to or replaced meanwhile: what was read may then be half of the old and half of the new
 * @throws the reason of `signal`; errors of the file system other than that the file is gone
 */
export async function hashFile(path: string, signal: AbortSignal, range?: FileRange): Promise<HashedFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  try {
    const before = await file.stat();
    if (!before.isFile() || before.size === 0) return undefined;
    const { start, end } = range ?? { start: 0, end: before.size };
    if (end > before.size) return undefined;
    const leaves = await hashBlocks(file, start, end - start, signal);
    const after = await statFile(path);
    const version = versionOf(before);
    if (leaves === undefined || after === undefined || versionOf(after) !== version) return undefined;
    return { size: end - start, version, leaves };
  } finally {
    await file.close();
  }
}

async function hashBlocks(
  file: FileHandle,
  start: number,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const leaves = new Uint8Array(blockCount(size) * HASH_BYTES);
  const buffer = new Uint8Array(Math.min(HASH_READ_BYTES, size));
  for (let position = 0; position < size;) {
    signal.throwIfAborted();
    const wanted = Math.min(buffer.length, size - position);
    const filled = await fill(file, buffer.subarray(0, wanted), start + position);
    if (filled < wanted) return undefined; // cut shorter while we read
    for (let offset = 0; offset < filled; offset += BLOCK_BYTES) {
      leaves.set(
        sha256Sync(buffer.subarray(offset, Math.min(offset + BLOCK_BYTES, filled))),
        ((position + offset) / BLOCK_BYTES) * HASH_BYTES,
      );
    }
    position += filled;
  }
  return leaves;
}

/** Reads until `target` is full or the file ends; a single read may give less than asked. */
async function fill(file: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** No such file, or no longer reachable under this name. */
export const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES'].includes(String(error.code));
