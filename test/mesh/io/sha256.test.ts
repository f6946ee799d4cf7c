import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { createSha256 } from '../../../mesh/io/sha256.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('with and without crypto.subtle the hash is the same, that of Node', async () => {
  const [subtle, library] = [createSha256(), createSha256({})];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (array) => {
      const bytes = Uint8Array.from(array);
      const right = createHash('sha256').update(bytes).digest('hex');
      assert.equal(hex(await subtle(bytes)), right);
      assert.equal(hex(await library(bytes)), right);
    }),
  );
});

test('a part of a larger buffer is hashed alone', async () => {
  const part = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4);
  const right = createHash('sha256')
    .update(Uint8Array.of(1, 2, 3))
    .digest('hex');
  for (const sha256 of [createSha256(), createSha256({})]) assert.equal(hex(await sha256(part)), right);
});

test('many at once do not mix', async () => {
  const sha256 = createSha256({});
  const bodies = Array.from({ length: 20 }, (_, i) => new Uint8Array(70_000).fill(i));
  const hashes = await Promise.all(bodies.map((body) => sha256(body)));
  assert.deepEqual(
    hashes.map(hex),
    bodies.map((body) => createHash('sha256').update(body).digest('hex')),
  );
});
