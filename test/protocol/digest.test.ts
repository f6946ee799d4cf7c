import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  blockCount,
  blockLength,
  blockMatches,
  digestOfLeaves,
  leavesMatch,
  leavesOf,
  nameOf,
} from '../../protocol/digest.ts';
import { P2PError } from '../../protocol/error.ts';
import { toHex } from '../../protocol/hex.ts';
import { isAssetSize, isDigest, type Digest } from '../../protocol/ids.ts';
import { BLOCK_BYTES, MAX_ASSET_BYTES } from '../../protocol/limits.ts';
import { nodeSha256, testBody } from '../mesh/world/test-asset.ts';
import { readVectors } from './read-vectors.ts';

const fixture = readVectors('digests') as { vectors: { size: number; leaves: string[]; digest: string }[] };

/** The generator that the fixture names. */
const bodyOf = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8) * 13 + size) % 251);

const sizes = fc.integer({ min: 1, max: 5 * BLOCK_BYTES });

for (const { size, leaves, digest } of fixture.vectors) {
  test(`the digest of a body of ${size} bytes is the documented one`, async () => {
    const name = await nameOf(bodyOf(size), nodeSha256);
    assert.equal(toHex(name.leaves), leaves.join(''));
    assert.deepEqual({ digest: name.digest, size: name.size }, { digest, size });
  });
}

test('blocks fill the asset without gap or overlap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_ASSET_BYTES }), (size) => {
      const lengths = Array.from({ length: blockCount(size) }, (_, index) => blockLength(size, index));
      assert.equal(
        lengths.reduce((sum, length) => sum + length, 0),
        size,
      );
      assert.ok(lengths.every((length, i) => (i < lengths.length - 1 ? length === BLOCK_BYTES : length > 0)));
    }),
  );
});

test('only whole numbers from 1 byte to 64 MiB are sizes', () => {
  for (const size of [1, BLOCK_BYTES, MAX_ASSET_BYTES]) assert.equal(isAssetSize(size), true);
  for (const size of [0, -1, 1.5, NaN, Infinity, MAX_ASSET_BYTES + 1, '1', null, undefined, 1n])
    assert.equal(isAssetSize(size), false, String(size));
});

test('an asset without bytes has no digest', async () => {
  await assert.rejects(
    nameOf(new Uint8Array(0), nodeSha256),
    (error) => error instanceof P2PError && error.code === 'bad-digest',
  );
});

test('leaves that do not fit the size have no digest', async () => {
  for (const [size, bytes] of [
    [BLOCK_BYTES, 64],
    [BLOCK_BYTES + 1, 32],
    [10, 31],
    [MAX_ASSET_BYTES + 1, 1025 * 32],
  ] as const)
    await assert.rejects(digestOfLeaves(size, new Uint8Array(bytes), nodeSha256), P2PError, `${size}`);
});

test('an asset matches its own leaves and blocks, and no change of one bit', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), fc.nat(7), async (size, at, bit) => {
      const body = testBody(size, size);
      const name = await nameOf(body, nodeSha256);
      assert.ok(isDigest(name.digest));
      assert.equal(await leavesMatch(name, name.leaves, nodeSha256), true);
      const index = at % blockCount(size);
      const block = body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
      assert.equal(await blockMatches(name, name.leaves, index, block, nodeSha256), true);
      block[at % block.length]! ^= 1 << bit;
      assert.equal(await blockMatches(name, name.leaves, index, block, nodeSha256), false);
      name.leaves[at % name.leaves.length]! ^= 1 << bit;
      assert.equal(await leavesMatch(name, name.leaves, nodeSha256), false);
    }),
    { numRuns: 30 },
  );
});

test('blocks swap, shrink and grow in vain', async () => {
  const body = testBody(3 * BLOCK_BYTES, 5);
  const name = await nameOf(body, nodeSha256);
  const block = body.slice(0, BLOCK_BYTES);
  assert.equal(await blockMatches(name, name.leaves, 1, block, nodeSha256), false);
  assert.equal(await blockMatches(name, name.leaves, 3, block, nodeSha256), false);
  assert.equal(await blockMatches(name, name.leaves, 2 ** 32 - 1, block, nodeSha256), false);
  assert.equal(await blockMatches(name, name.leaves, 0, block.slice(0, -1), nodeSha256), false);
  assert.equal(await blockMatches(name, name.leaves, 0, new Uint8Array(0), nodeSha256), false);
});

test('leaves of any bytes belong to no asset', async () => {
  const name = await nameOf(testBody(2 * BLOCK_BYTES, 1), nodeSha256);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (leaves) => {
      assert.equal(await leavesMatch(name, leaves, nodeSha256), false);
    }),
  );
  assert.equal(await leavesMatch({ digest: name.digest, size: 0 }, new Uint8Array(0), nodeSha256), false);
});

test('the same leaves under another size are another asset', async () => {
  const leaves = await leavesOf(testBody(BLOCK_BYTES, 1), nodeSha256);
  const digests = new Set<Digest>();
  for (const size of [1, 2, BLOCK_BYTES]) digests.add(await digestOfLeaves(size, leaves, nodeSha256));
  assert.equal(digests.size, 3);
});
