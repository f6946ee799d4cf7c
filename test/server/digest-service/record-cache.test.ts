import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordCache } from '../../../server/digest-service/record-cache.ts';
import { RecordFiles } from '../../../server/digest-service/record-files.ts';
import { keyOf } from '../../../server/digest-service/remote-asset.ts';
import { folderOf, silent } from '../support.ts';
import { recordOf } from './support.ts';

test('in memory alone: what is set is there, until it is deleted', async () => {
  const cache = new RecordCache();
  const record = await recordOf('https://cdn.example/a.ts');
  const key = keyOf(record.asset);
  assert.equal(await cache.get(key), undefined);
  cache.set(record);
  assert.equal(await cache.get(key), record);
  assert.equal(await cache.leaves(record.name.digest), record.leaves);
  cache.delete(key);
  assert.equal(await cache.get(key), undefined);
  assert.equal(await cache.leaves(record.name.digest), undefined);
});

test('memory is bounded, and what fell out of it is on the disk', async (t) => {
  const files = new RecordFiles(await folderOf(t), 1e6, silent);
  const [alone, both] = [new RecordCache(undefined, 1500), new RecordCache(files, 1500)];
  const records = await Promise.all([1, 2, 3, 4].map((n) => recordOf(`https://cdn.example/${n}.ts`, n)));
  const [first] = records;
  for (const record of records) {
    alone.set(record);
    both.set(record);
  }
  assert.equal(await alone.get(keyOf(first!.asset)), undefined);
  assert.equal(await alone.leaves(first!.name.digest), undefined);
  await files.settled();
  assert.deepEqual(await both.leaves(first!.name.digest), first!.leaves);
  assert.deepEqual(await both.get(keyOf(first!.asset)), first);
});

test('a record too large for memory leaves no trace there', async () => {
  const cache = new RecordCache(undefined, 10);
  const record = await recordOf('https://cdn.example/a.ts');
  cache.set(record);
  assert.equal(await cache.leaves(record.name.digest), undefined);
});

test('two assets with the same bytes have one digest; it stays while one of them does', async () => {
  const cache = new RecordCache();
  const record = await recordOf('https://cdn.example/a.ts');
  const twin = { ...record, asset: { url: 'https://other.example/b.ts', range: undefined } };
  cache.set(record);
  cache.set(twin);
  cache.delete(keyOf(record.asset));
  assert.equal(await cache.leaves(record.name.digest), twin.leaves);
});
