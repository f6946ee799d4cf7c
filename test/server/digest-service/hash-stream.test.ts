import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { hashStream } from '../../../server/digest-service/hash-stream.ts';
import { bytes, nameOfBytes } from '../support.ts';

async function* cut(body: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield body.subarray(at, at + length);
    at += length;
  }
  if (at < body.length) yield body.subarray(at);
}

test('a body has the same leaves however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.integer({ min: 1, max: 300_000 }),
        fc.constantFrom(1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES),
      ),
      fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }),
      async (size, lengths) => {
        const body = bytes(size);
        const { leaves } = await nameOfBytes(body);
        assert.deepEqual(await hashStream(cut(body, lengths)), { size, leaves });
      },
    ),
    { numRuns: 50 },
  );
});

test('an empty body has none', async () => {
  assert.equal(await hashStream(cut(bytes(0), [])), undefined);
  assert.equal(await hashStream(cut(bytes(0), [0, 0])), undefined);
});

test('one that is too large is not read to its end', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given++;
      yield bytes(1000);
    }
  }
  assert.equal(await hashStream(endless(), 10_500), undefined);
  assert.equal(given, 11);
  assert.equal((await hashStream(cut(bytes(1000), []), 1000))?.size, 1000);
});

test('what the stream throws is thrown', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes(10);
    throw new Error('cut off');
  }
  await assert.rejects(hashStream(broken()), /cut off/);
});
