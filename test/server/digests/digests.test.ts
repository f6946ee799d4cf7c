import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { leavesMatch } from '../../../protocol/digest.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { MAX_ASSET_BYTES, MAX_PART_BYTES } from '../../../protocol/limits.ts';
import { Digests } from '../../../server/digests/digests.ts';
import { MAX_LEAVES_BYTES, SETTLE_MS } from '../../../server/limits.ts';
import { sha256 } from '../../../server/sha256.ts';
import { bytes, folderOf, nameOfBytes, nameOfText, put, until } from '../support.ts';

/** Digests of a folder that seem to be asked much later than the files were written. */
function make(t: TestContext, now = () => Date.now() + 60_000): Digests {
  const digests = new Digests(now);
  t.after(() => digests.close());
  return digests;
}

test('a file has the digest that the protocol defines, and is hashed once', async (t) => {
  const digests = make(t);
  const path = join(await folderOf(t, { a: 'hello' }), 'a');
  const { digest } = await nameOfText('hello');
  const answers = await Promise.all(Array.from({ length: 20 }, () => digests.of(path)));
  for (const answer of answers) assert.deepEqual(answer, { size: 5, whole: { digest, size: 5 }, parts: [digest] });
  await digests.of(path);
  assert.equal(digests.hashed, 1);
});

test('a file that changes has its new digest at once, also with the same size and time stamp', async (t) => {
  const digests = make(t);
  const folder = await folderOf(t, { a: 'hello' });
  await digests.of(join(folder, 'a'));
  await put(folder, { a: 'HELLO' });
  assert.equal((await digests.of(join(folder, 'a')))?.whole?.digest, (await nameOfText('HELLO')).digest);
});

test('a digest of a file that was written this very moment is not remembered', async (t) => {
  const digests = make(t, Date.now);
  const path = join(await folderOf(t), 'a');
  await until('a file is hashed within 30 ms of being written', async () => {
    await writeFile(path, 'hello');
    const before = digests.hashed;
    await digests.of(path);
    await digests.of(path);
    return digests.hashed === before + 2;
  });
});

test('a file that is gone or empty has no digest, and its old one is no longer known', async (t) => {
  const digests = make(t);
  const folder = await folderOf(t, { a: 'hello', empty: '' });
  await digests.of(join(folder, 'a'));
  await rm(join(folder, 'a'));
  assert.equal(await digests.of(join(folder, 'a')), undefined);
  assert.equal(await digests.of(join(folder, 'empty')), undefined);
});

test('a file that was just written is given a digest only after it has settled', async (t) => {
  const path = join(await folderOf(t), 'a');
  await writeFile(path, 'hello');
  const { ctimeMs } = await stat(path);
  const digests = make(t, () => ctimeMs);
  const startedAt = performance.now();
  const digest = await digests.of(path, { settled: true });
  assert.equal(digest?.size, 5);
  assert.ok(performance.now() - startedAt > SETTLE_MS - 2);
});

test('many files that were just written at once are no reason for a warning', async (t) => {
  const digests = make(t, Date.now);
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const names = Array.from({ length: 20 }, (_, n) => `segment-${n}.ts`);
  const folder = await folderOf(t, Object.fromEntries(names.map((name) => [name, name])));
  await Promise.all(names.map((name) => digests.of(join(folder, name), { settled: true })));
  assert.deepEqual(warnings, []);
});

test('a file that is written to again while we wait for it to settle is not given out', async (t) => {
  const path = join(await folderOf(t), 'a');
  await writeFile(path, 'half of it');
  const { ctimeMs } = await stat(path);
  const digests = make(t, () => {
    appendFileSync(path, 'more of it'); // the server has just seen how old it is
    return ctimeMs;
  });
  assert.equal(await digests.of(path, { settled: true }), undefined);
});

test('above 16 MiB a file has parts, and up to 64 MiB it is still one asset, too', async (t) => {
  const digests = make(t);
  const content = bytes(MAX_PART_BYTES + 70_000);
  const path = join(await folderOf(t, { film: content }), 'film');
  const digest = await digests.of(path);
  assert.ok(digest?.whole);
  const parts = [await nameOfBytes(content.slice(0, MAX_PART_BYTES)), await nameOfBytes(content.slice(MAX_PART_BYTES))];
  assert.deepEqual(
    digest.parts,
    parts.map((part) => part.digest),
  );
  assert.equal(digest.whole.digest, (await nameOfBytes(content)).digest);
  for (const name of [...parts, digest.whole]) {
    const leaves = await digests.leaves(name.digest);
    assert.ok(leaves && (await leavesMatch(name, leaves, sha256)));
  }
});

test('above 64 MiB a file is only its parts', async (t) => {
  const digests = make(t);
  const folder = await folderOf(t);
  const path = join(folder, 'film');
  await writeFile(path, '');
  const { truncate } = await import('node:fs/promises');
  await truncate(path, MAX_ASSET_BYTES + 1);
  const digest = await digests.of(path);
  assert.equal(digest?.whole, undefined);
  assert.equal(digest?.parts.length, 5);
});

test('leaves are known for digests that were given out, and for no others', async (t) => {
  const digests = make(t);
  const folder = await folderOf(t, { a: 'hello' });
  const { digest, leaves } = await nameOfText('hello');
  assert.equal(await digests.leaves(digest), undefined);
  await digests.of(join(folder, 'a'));
  assert.deepEqual(await digests.leaves(digest), leaves);
  assert.equal(await digests.leaves('00'.repeat(32) as Digest), undefined);
});

test('leaves that were forgotten are hashed anew, once for all who ask meanwhile', async (t) => {
  const digests = make(t);
  const folder = await folderOf(t, { a: 'hello' });
  const { digest, leaves } = await nameOfText('hello');
  await digests.of(join(folder, 'a'));
  digests.keepLeaves('11'.repeat(32) as Digest, new Uint8Array(MAX_LEAVES_BYTES));
  assert.deepEqual(
    await Promise.all(Array.from({ length: 5 }, () => digests.leaves(digest))),
    Array.from({ length: 5 }, () => leaves),
  );
  assert.equal(digests.hashed, 2);
});

test('a range of a file is an asset of its own, with its own leaves', async (t) => {
  const digests = make(t);
  const content = bytes(200_000);
  const folder = await folderOf(t, { film: content });
  const path = join(folder, 'film');
  const range = { start: 1000, end: 150_000 };
  const { digest, size, leaves } = await nameOfBytes(content.slice(range.start, range.end));
  await digests.of(path);
  assert.deepEqual(await digests.nameOf(path, range), { digest, size });
  assert.deepEqual(await digests.nameOf(path, range), { digest, size });
  assert.equal(digests.hashed, 2);
  assert.deepEqual(await digests.leaves(digest), leaves);
  assert.equal(await digests.nameOf(path, { start: 0, end: 200_001 }), undefined);
  await put(folder, { film: bytes(200_000, 2) });
  assert.notEqual((await digests.nameOf(path, range))?.digest, digest);
});

test('leaves of a body that the server made are kept', async (t) => {
  const digests = make(t);
  const { digest, leaves } = await nameOfText('made');
  digests.keepLeaves(digest, leaves);
  assert.deepEqual(await digests.leaves(digest), leaves);
});

test('closing ends hashing', async (t) => {
  const digests = make(t);
  const path = join(await folderOf(t, { film: bytes(8 * 1024 * 1024) }), 'film');
  const asked = digests.of(path);
  digests.close();
  await assert.rejects(asked, { name: 'AbortError' });
});
