import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { hashFile, statFile } from '../../../server/digests/hash-file.ts';
import { bytes, folderOf, nameOfBytes } from '../support.ts';

const never = new AbortController().signal;

test('a file has the leaves of its content, whatever its length', async (t) => {
  const folder = await folderOf(t);
  for (const size of [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 4 * BLOCK_BYTES, 9 * BLOCK_BYTES + 5]) {
    const path = join(folder, String(size));
    await writeFile(path, bytes(size));
    const hashed = await hashFile(path, never);
    assert.equal(hashed?.size, size);
    assert.deepEqual(hashed.leaves, (await nameOfBytes(bytes(size))).leaves);
  }
});

test('an empty file, a folder and no file at all have no digest', async (t) => {
  const folder = await folderOf(t, { empty: '' });
  await mkdir(join(folder, 'folder'));
  for (const name of ['empty', 'folder', 'missing', 'empty/below']) {
    assert.equal(await hashFile(join(folder, name), never), undefined, name);
  }
  assert.equal(await statFile(join(folder, 'folder')), undefined);
});

/** Hashes a file of several reads and does something to it before the second. */
async function changeWhileHashing(
  t: Parameters<typeof folderOf>[0],
  change: (path: string) => void,
): ReturnType<typeof hashFile> {
  const folder = await folderOf(t, { film: bytes(1024 * 1024) });
  const path = join(folder, 'film');
  let reads = 0;
  const { signal } = new AbortController();
  // It is asked before each read.
  signal.throwIfAborted = () => {
    if (++reads === 2) change(path);
  };
  const hashed = await hashFile(path, signal);
  assert.ok(reads >= 2, `${reads} reads`);
  return hashed;
}

test('a file that grows while it is hashed has no digest', async (t) => {
  assert.equal(await changeWhileHashing(t, (path) => appendFileSync(path, 'more')), undefined);
});

test('a file that is cut while it is hashed has no digest', async (t) => {
  assert.equal(await changeWhileHashing(t, (path) => truncateSync(path, 100)), undefined);
});

test('a file that is replaced while it is hashed has no digest', async (t) => {
  const replace = (path: string): void => {
    writeFileSync(`${path}.tmp`, 'new');
    renameSync(`${path}.tmp`, path);
  };
  assert.equal(await changeWhileHashing(t, replace), undefined);
});

test('hashing ends when it is told to', async (t) => {
  const folder = await folderOf(t, { film: bytes(BLOCK_BYTES) });
  await assert.rejects(hashFile(join(folder, 'film'), AbortSignal.abort()), { name: 'AbortError' });
});
