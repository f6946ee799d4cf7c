import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { toDrop } from '../../../mesh/core/to-drop.ts';
import type { AssetName, Digest } from '../../../protocol/ids.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

const assetsOf = (sizes: readonly number[]): Map<Digest, AssetName> =>
  new Map(sizes.map((size, i) => [NAMES[i] as Digest, { digest: NAMES[i] as Digest, size }]));

const dropped = (sizes: readonly number[], bytes: number, needed: readonly string[] = []): string =>
  toDrop(assetsOf(sizes), bytes, new Set(needed as Digest[]))
    .map(({ digest }) => digest)
    .join('');

test('the first goes first, and only as many as are enough', () => {
  assert.equal(dropped([10, 10, 10], 0), '');
  assert.equal(dropped([10, 10, 10], -5), '');
  assert.equal(dropped([10, 10, 10], 10), 'a');
  assert.equal(dropped([10, 10, 10], 11), 'ab');
  assert.equal(dropped([10, 10, 10], 1000), 'abc');
});

test('what is needed goes only where all else is not enough', () => {
  assert.equal(dropped([10, 10, 10], 20, ['a']), 'bc');
  assert.equal(dropped([10, 10, 10], 21, ['a']), 'bca');
  assert.equal(dropped([10, 10, 10], 10, ['a', 'b', 'c']), 'a');
});

test('it is enough wherever all of it is, and never one too many', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: NAMES.length });
  fc.assert(
    fc.property(sizes, fc.nat(300), fc.subarray(NAMES), (sizes, bytes, needed) => {
      const gone = toDrop(assetsOf(sizes), bytes, new Set(needed as Digest[]));
      const freed = gone.reduce((sum, { size }) => sum + size, 0);
      const all = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(freed >= Math.min(bytes, all));
      assert.ok(freed - (gone.at(-1)?.size ?? 0) < bytes || gone.length === 0);
      assert.equal(new Set(gone).size, gone.length);
    }),
  );
});
