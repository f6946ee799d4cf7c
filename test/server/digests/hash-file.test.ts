import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, truncate, writeFile } from 'node:fs/promises';
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

/** Hashes a large file and does something to it while that runs. */
async function changeWhileHashing(t: Parameters<typeof folderOf>[0], change: (path: string) => Promise<unknown>) {
  const folder = await folderOf(t, { film: bytes(12 * 1024 * 1024) });
  const path = join(folder, 'film');
  const [hashed] = await Promise.all([
    hashFile(path, never),
    new Promise((resolve) => setTimeout(resolve, 2)).then(() => change(path)),
  ]);
  return hashed;
}

test('a file that grows while it is hashed has no digest', async (t) => {
  assert.equal(await changeWhileHashing(t, (path) => appendFile(path, 'more')), undefined);
});

test('a file that is cut while it is hashed has no digest', async (t) => {
  assert.equal(await changeWhileHashing(t, (path) => truncate(path, 100)), undefined);
});

test('a file that is replaced while it is hashed has no digest', async (t) => {
  const replace = async (path: string): Promise<void> => {
    await writeFile(`${path}.tmp`, 'new');
    await rename(`${path}.tmp`, path);
  };
  assert.equal(await changeWhileHashing(t, replace), undefined);
});

test('hashing ends when it is told to', async (t) => {
  const folder = await folderOf(t, { film: bytes(BLOCK_BYTES) });
  await assert.rejects(hashFile(join(folder, 'film'), AbortSignal.abort()), { name: 'AbortError' });
});
