import assert from 'node:assert/strict';
import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RecordFiles } from '../../../server/digest-service/record-files.ts';
import { keyOf } from '../../../server/digest-service/remote-asset.ts';
import type { AssetRecord } from '../../../server/digest-service/asset-record.ts';
import { folderOf, silent } from '../support.ts';
import { recordOf } from './support.ts';

/** Each small record takes one block of the disk. */
const BLOCK = 4096;

const fileOf = ({ asset, name }: AssetRecord): string => `${keyOf(asset)}-${name.digest}`;

const read = (files: RecordFiles, record: AssetRecord) => files.read(keyOf(record.asset));

const recordsOf = (count: number): Promise<AssetRecord[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => recordOf(`https://cdn.example/${index}.ts`, 1000 + index)));

async function filesIn(t: TestContext, capacity = 100 * BLOCK) {
  const folder = await folderOf(t);
  return { folder, files: new RecordFiles(folder, capacity, silent) };
}

test('what was written is there, also after a restart', async (t) => {
  const { folder, files } = await filesIn(t);
  const record = await recordOf('https://cdn.example/a.ts');
  await files.write(record);
  const again = new RecordFiles(folder, 100 * BLOCK, silent);
  for (const one of [files, again]) {
    assert.deepEqual(await read(one, record), record);
    assert.deepEqual(await one.readByDigest(record.name.digest), record);
  }
  assert.deepEqual(await readdir(folder), [fileOf(record)]);
});

test('another version of an asset takes the place of the one before', async (t) => {
  const { folder, files } = await filesIn(t);
  const before = await recordOf('https://cdn.example/a.ts', 1000);
  const after = await recordOf('https://cdn.example/a.ts', 2000);
  await files.write(before);
  await files.write(after);
  await files.write({ ...after, freshUntil: 5 });
  assert.equal((await read(files, after))?.freshUntil, 5);
  assert.equal(await files.readByDigest(before.name.digest), undefined);
  assert.deepEqual(await readdir(folder), [fileOf(after)]);
});

test('it never takes more than it may: what was not used for longest goes', async (t) => {
  const { folder, files } = await filesIn(t, 3 * BLOCK);
  const [a, b, c, d] = (await recordsOf(4)) as [AssetRecord, AssetRecord, AssetRecord, AssetRecord];
  for (const record of [a, b, c]) await files.write(record);
  await read(files, a);
  await files.write(d);
  assert.deepEqual((await readdir(folder)).sort(), [a, c, d].map(fileOf).sort());
  assert.equal(await read(files, b), undefined);
});

test('a folder with more than it may hold is made smaller at the start, the oldest first', async (t) => {
  const { folder, files } = await filesIn(t);
  const records = await recordsOf(4);
  for (const [index, record] of records.entries()) {
    await files.write(record);
    await utimes(join(folder, fileOf(record)), 1000 + index, 1000 + index);
  }
  const smaller = new RecordFiles(folder, 2 * BLOCK, silent);
  assert.deepEqual(await read(smaller, records[3]!), records[3]);
  await smaller.settled();
  assert.deepEqual((await readdir(folder)).sort(), records.slice(2).map(fileOf).sort());
});

test('what is damaged, or of another asset, is not believed, and goes', async (t) => {
  const { folder, files } = await filesIn(t);
  const [cut, changed, swapped, other] = (await recordsOf(4)) as [AssetRecord, AssetRecord, AssetRecord, AssetRecord];
  for (const record of [cut, changed, swapped, other]) await files.write(record);
  await truncate(join(folder, fileOf(cut)), 300);
  const bytes = await readFile(join(folder, fileOf(changed)));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(join(folder, fileOf(changed)), bytes);
  await writeFile(join(folder, fileOf(swapped)), await readFile(join(folder, fileOf(other))));
  for (const record of [cut, changed, swapped]) assert.equal(await read(files, record), undefined);
  assert.deepEqual(await read(files, other), other);
  await files.settled();
  assert.deepEqual(await readdir(folder), [fileOf(other)]);
});

test('files that are not its own stay; what a crash left half-written goes', async (t) => {
  const record = await recordOf('https://cdn.example/a.ts');
  const folder = await folderOf(t, {
    'notes.txt': 'mine',
    [`${fileOf(record)}.tmp`]: 'half',
    ['f'.repeat(64)]: 'x',
  });
  const files = new RecordFiles(folder, 0, silent);
  assert.equal(await read(files, record), undefined);
  await files.settled();
  assert.deepEqual((await readdir(folder)).sort(), ['f'.repeat(64), 'notes.txt']);
});

test('a file that is larger than any of ours is not read', async (t) => {
  const { folder, files } = await filesIn(t);
  const record = await recordOf('https://cdn.example/a.ts');
  await files.write(record);
  await truncate(join(folder, fileOf(record)), 1e9);
  assert.equal(await read(files, record), undefined);
});

test('where the folder can not be written to nothing fails', async (t) => {
  const folder = await folderOf(t, { file: '' });
  const files = new RecordFiles(join(folder, 'file', 'below'), 100 * BLOCK, silent);
  const record = await recordOf('https://cdn.example/a.ts');
  await files.write(record);
  assert.equal(await read(files, record), undefined);
});

test('what is written while it is dropped is whole afterwards', async (t) => {
  const { folder, files } = await filesIn(t, BLOCK);
  const [a, b] = (await recordsOf(2)) as [AssetRecord, AssetRecord];
  await Promise.all([files.write(a), files.write(b), files.write(a)]);
  assert.deepEqual(await readdir(folder), [fileOf(a)]);
  assert.deepEqual(await read(files, a), a);
});
