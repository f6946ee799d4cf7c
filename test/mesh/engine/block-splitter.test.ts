import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BlockSplitter } from '../../../mesh/engine/block-splitter.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { testBody } from '../world/test-asset.ts';

const BODY = testBody(3 * BLOCK_BYTES + 777);

/** Pushes the bytes from `first` on in pieces of these lengths. */
function split(bytes: Uint8Array, size: number, first: number, lengths: readonly number[]): [number, Buffer][] {
  const splitter = new BlockSplitter(size, first);
  const blocks: [number, Buffer][] = [];
  let offset = first * BLOCK_BYTES;
  for (let i = 0; offset < bytes.length; i++) {
    const chunk = bytes.subarray(offset, offset + lengths[i % lengths.length]!);
    offset += chunk.length;
    for (const { index, block } of splitter.push(chunk)) blocks.push([index, Buffer.from(block)]);
  }
  return blocks;
}

test('chunks of any lengths, from any block on, give the same blocks', () => {
  const length = fc.oneof(fc.integer({ min: 500, max: 5000 }), fc.integer({ min: 60_000, max: 140_000 }));
  fc.assert(
    fc.property(fc.array(length, { minLength: 1, maxLength: 10 }), fc.nat(3), (lengths, first) => {
      const blocks = split(BODY, BODY.length, first, lengths);
      assert.deepEqual(
        blocks.map(([index]) => index),
        [0, 1, 2, 3].slice(first),
      );
      const whole = Buffer.concat(blocks.map(([, block]) => block));
      assert.equal(whole.compare(BODY.subarray(first * BLOCK_BYTES)), 0);
    }),
    { numRuns: 50 },
  );
});

test('what is past the end is dropped, and what is missing gives no block', () => {
  assert.deepEqual(
    split(BODY, 2 * BLOCK_BYTES, 0, [100_000]).map(([index]) => index),
    [0, 1],
  );
  assert.deepEqual(
    split(BODY.subarray(0, BLOCK_BYTES + 5), BODY.length, 0, [1000]).map(([index]) => index),
    [0],
  );
});

test('an asset of one byte is one block', () => {
  const splitter = new BlockSplitter(1, 0);
  assert.deepEqual([...splitter.push(Uint8Array.of(7, 8))], [{ index: 0, block: Uint8Array.of(7) }]);
  assert.equal(splitter.index, 1);
});

test('each block is memory of its own', () => {
  const chunk = BODY.slice(0, BLOCK_BYTES);
  const [first] = [...new BlockSplitter(BODY.length, 0).push(chunk)];
  chunk.fill(0);
  assert.equal(Buffer.compare(first!.block, BODY.subarray(0, BLOCK_BYTES)), 0);
});
