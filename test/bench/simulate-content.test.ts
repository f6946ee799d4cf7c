import assert from 'node:assert/strict';
import test from 'node:test';
import { Content, segmentOf } from '../../bench/simulate/content.ts';
import { blockMatches, nameOf } from '../../protocol/digest.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import { nodeSha256 } from '../mesh/world/test-asset.ts';

const content = await Content.create(2, 3);
const [first, second] = content.segments;

test('digests are those of SHA-256', async () => {
  assert.ok(first && second);
  for (const { body, name, leaves } of [first, second]) {
    const real = await nameOf(body, nodeSha256);
    assert.equal(real.digest, name.digest);
    assert.deepEqual(real.leaves, leaves);
  }
  assert.notEqual(first.name.digest, second.name.digest);
});

test('a block with one wrong byte is not taken for the known one', async () => {
  assert.ok(first);
  const block = first.body.slice(BLOCK_BYTES, 2 * BLOCK_BYTES);
  const matches = (index: number): Promise<boolean> =>
    blockMatches(first.name, first.leaves, index, block, content.sha256);
  assert.equal(await matches(1), true);
  assert.equal(await matches(2), false);
  block[BLOCK_BYTES - 1]! ^= 1;
  assert.equal(await matches(1), false);
  assert.deepEqual(await content.sha256(block), await nodeSha256(block));
});

test('a block tells which segment it is of, other bytes none', () => {
  assert.ok(second);
  assert.equal(segmentOf(second.body.subarray(BLOCK_BYTES)), 1);
  assert.equal(segmentOf(second.body.subarray(1)), null);
  assert.equal(segmentOf(new Uint8Array(3)), null);
});

test('stores share one copy of a segment', async () => {
  assert.ok(first);
  const stores = [content.store(1e9), content.store(1e9)];
  for (const store of stores)
    store.put({ ...first.name, body: first.body.slice(), leaves: first.leaves, contentType: 'video/mp2t' });
  for (const store of stores) assert.equal((await store.read(first.name.digest))?.body, first.body);
});
