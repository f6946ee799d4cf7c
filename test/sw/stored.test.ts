import assert from 'node:assert/strict';
import test from 'node:test';
import { ASSET_CACHE, assetKey } from '../../protocol/asset-cache.ts';
import type { Digest } from '../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../protocol/limits.ts';
import type { ByteRange, ShareableFile } from '../../protocol/page.ts';
import { stored } from '../../sw/stored.ts';
import { FakeCaches } from './fake-caches.ts';

const digests = [1, 2].map((i) => `${i}${'0'.repeat(63)}` as Digest);
const fileOf = (size: number): ShareableFile => ({
  url: 'https://school.test/film.mp4',
  size,
  type: 'video/mp4',
  parts: digests.slice(0, Math.ceil(size / MAX_PART_BYTES)),
});
const byteAt = (index: number): number => (index * 31 + (index >> 16)) & 255;
const bytesOf = (start: number, end: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: end - start }, (_, i) => byteAt(start + i));

/** A disk that holds these parts of a file. */
async function diskWith({ size, parts }: ShareableFile, held = parts): Promise<CacheStorage> {
  const caches = new FakeCaches();
  const cache = await caches.open(ASSET_CACHE);
  for (const [index, digest] of parts.entries()) {
    if (!held.includes(digest)) continue;
    const [start, end] = [index * MAX_PART_BYTES, Math.min(size, (index + 1) * MAX_PART_BYTES)];
    await cache.put(
      assetKey({ digest, size: end - start }),
      new Response(bytesOf(start, end), { headers: { 'content-type': 'video/mp4' } }),
    );
  }
  return caches.asStorage();
}

async function read(storage: CacheStorage, file: ShareableFile, range: ByteRange): Promise<Uint8Array | null> {
  const body = await stored(storage, file, range);
  return body && new Uint8Array(await body.arrayBuffer());
}

test('all of a file, and a range of it, are given', async () => {
  const file = fileOf(1000);
  const storage = await diskWith(file);
  assert.deepEqual(await read(storage, file, { start: 0, end: 1000 }), bytesOf(0, 1000));
  assert.deepEqual(await read(storage, file, { start: 10, end: 20 }), bytesOf(10, 20));
  assert.deepEqual(await read(storage, file, { start: 999, end: 1000 }), bytesOf(999, 1000));
});

test('all of it is given as it was kept, unless it is of another type by now', async () => {
  const file = fileOf(1000);
  const storage = await diskWith(file);
  const all = { start: 0, end: 1000 };
  assert.ok((await stored(storage, file, all)) instanceof Response);
  assert.ok((await stored(storage, { ...file, type: 'video/x-new' }, all)) instanceof Blob);
});

test('of a file in parts those are needed that the range touches', async () => {
  const file = fileOf(MAX_PART_BYTES + 100);
  const whole = await diskWith(file);
  const border = { start: MAX_PART_BYTES - 5, end: MAX_PART_BYTES + 5 };
  assert.deepEqual(await read(whole, file, border), bytesOf(border.start, border.end));
  assert.equal((await read(whole, file, { start: 0, end: file.size }))?.length, file.size);
  const second = await diskWith(file, digests.slice(1));
  assert.equal(await read(second, file, border), null);
  const tail = { start: MAX_PART_BYTES + 50, end: MAX_PART_BYTES + 100 };
  assert.deepEqual(await read(second, file, tail), bytesOf(tail.start, tail.end));
});

test('without storage nothing is there', async () => {
  const caches = new FakeCaches();
  caches.broken = true;
  assert.equal(await read(caches.asStorage(), fileOf(10), { start: 0, end: 10 }), null);
});
