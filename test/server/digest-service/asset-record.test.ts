import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAssetSize } from '../../../protocol/ids.ts';
import { parseRecord, writeRecord } from '../../../server/digest-service/asset-record.ts';
import { keyOf } from '../../../server/digest-service/remote-asset.ts';
import { recordOf } from './support.ts';

test('a record comes back as it was', async () => {
  for (const record of [
    await recordOf('https://cdn.example/a.ts'),
    await recordOf('https://cdn.example/ä?q="\n', 1, {
      etag: undefined,
      lastModified: 'Sat, 28 Nov 2026 10:00:00 GMT',
    }),
    await recordOf('https://cdn.example/all.ts', 300_000, {
      asset: { url: 'https://cdn.example/all.ts', range: { start: 5, end: 300_005 } },
    }),
  ])
    assert.deepEqual(await parseRecord(writeRecord(record), keyOf(record.asset)), record);
});

test('the keys of two assets differ', () => {
  const url = 'https://cdn.example/a';
  const keys = [
    { url, range: undefined },
    { url, range: { start: 0, end: 1 } },
    { url, range: { start: 0, end: 10 } },
    { url: `${url} `, range: undefined },
    { url: `0-1 ${url}`, range: undefined },
  ].map(keyOf);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.every((key) => /^[0-9a-f]{64}$/.test(key)));
});

test('a record of another asset is none', async () => {
  const record = await recordOf('https://cdn.example/a.ts');
  const other = keyOf({ url: 'https://cdn.example/b.ts', range: undefined });
  assert.equal(await parseRecord(writeRecord(record), other), undefined);
});

test('a record that was cut, or has a byte changed, never gives another digest or other leaves', async () => {
  const record = await recordOf('https://cdn.example/a.ts');
  const key = keyOf(record.asset);
  const written = writeRecord(record);
  await fc.assert(
    fc.asyncProperty(fc.nat(written.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const damaged = Buffer.from(written);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      for (const one of [damaged, written.subarray(0, at), Buffer.concat([written, damaged.subarray(0, at + 1)])]) {
        const read = await parseRecord(one, key);
        if (!read) continue;
        // Validators and dates can't be checked; what they cost is a request.
        assert.deepEqual([read.asset, read.name, read.leaves], [record.asset, record.name, record.leaves]);
      }
    }),
  );
});

test('no bytes make it throw', async () => {
  const json = fc.json().map((text) => Buffer.from(`${text}\nxxxx`));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), json), async (untrusted) => {
      assert.equal(await parseRecord(untrusted, 'f'.repeat(64)), undefined);
    }),
  );
});

test('heads with wrong fields are refused', async () => {
  const record = await recordOf('https://cdn.example/a.ts');
  const { digest, size } = record.name;
  const right = { version: 1, url: record.asset.url, digest, size, freshUntil: 5 };
  const parse = (head: object) =>
    parseRecord(Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), record.leaves]), keyOf(record.asset));
  assert.ok(await parse(right));
  for (const wrong of [
    ...[
      { version: 2 },
      { url: 5 },
      { digest: digest.toUpperCase() },
      { digest: 'f'.repeat(64) },
      { size: size + 65_536 },
    ],
    ...[
      { size: 0 },
      { size: '1' },
      { freshUntil: -1 },
      { freshUntil: null },
      { etag: 5 },
      { more: 1 },
      { range: { start: 0 } },
    ],
  ])
    assert.equal(await parse({ ...right, ...wrong }), undefined, JSON.stringify(wrong));
  assert.ok(isAssetSize(size));
});
