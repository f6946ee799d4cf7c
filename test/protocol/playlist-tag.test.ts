import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { toHex } from '../../protocol/hex.ts';
import type { Digest } from '../../protocol/ids.ts';
import { MAX_ASSET_BYTES } from '../../protocol/limits.ts';
import { formatDigestTag, parseDigestTag } from '../../protocol/playlist-tag.ts';

const DIGEST = 'ab'.repeat(32) as Digest;

test('a tag that is written is read back', () => {
  const name = fc.record(
    {
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as Digest),
      size: fc.integer({ min: 1, max: MAX_ASSET_BYTES }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(name, (asset) => {
      const tag = formatDigestTag(asset);
      assert.ok(tag.startsWith('#EXT-X-P2P-DIGEST:'));
      assert.deepEqual(parseDigestTag(tag.slice(tag.indexOf(':') + 1)), asset);
    }),
  );
});

test('blanks and a carriage return around the value are no matter', () => {
  assert.deepEqual(parseDigestTag(` ${DIGEST},12\r`), { digest: DIGEST, size: 12 });
});

for (const value of [
  '',
  ',',
  DIGEST,
  `${DIGEST},`,
  `${DIGEST},0`,
  `${DIGEST},-1`,
  `${DIGEST},1.5`,
  `${DIGEST},1e3`,
  `${DIGEST},12,3`,
  `${DIGEST},${MAX_ASSET_BYTES + 1}`,
  `${DIGEST.toUpperCase()},12`,
  `${DIGEST}0,12`,
  `${DIGEST}, 12`,
  `${DIGEST},99999999999`,
]) {
  test(`the tag "${value.replace(DIGEST, '<digest>')}" is refused with a message that quotes it`, () => {
    assert.throws(
      () => parseDigestTag(value),
      (error) =>
        error instanceof P2PError && error.code === 'bad-playlist-tag' && error.message.includes(value.slice(0, 100)),
    );
  });
}

test('whatever stands behind the tag, nothing but a P2PError is thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '0', ',', '9', ' ', '\n') })), (value) => {
      assert.throws(() => parseDigestTag(value), P2PError);
    }),
  );
});
