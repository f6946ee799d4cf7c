import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { MAX_ASSET_BYTES, MAX_MANIFEST_ENTRIES, MAX_PART_BYTES } from '../../protocol/limits.ts';
import { isWholeAsset, parseManifest } from '../../protocol/manifest.ts';

const DIGEST = 'ab'.repeat(32);
const entry = (more: object): unknown => ({
  version: 1,
  leaves: 'l/',
  assets: { 'a.png': { digest: DIGEST, size: 5, type: 'image/png', ...more } },
});

test('a manifest that the CLI writes is read, with whole assets and parts', () => {
  const parts = { size: MAX_PART_BYTES + 1, type: 'video/mp4', parts: [DIGEST, DIGEST] };
  const whole = { digest: DIGEST, size: 5, type: 'image/png' };
  const manifest = parseManifest(
    JSON.parse(
      JSON.stringify({
        version: 1,
        leaves: 'p2p/leaves/',
        assets: { 'a.png': { ...whole, more: 1 }, 'b.mp4': parts },
        generated: 'later',
      }),
    ),
  );
  assert.deepEqual(
    { ...manifest, assets: { ...manifest.assets } },
    { version: 1, leaves: 'p2p/leaves/', assets: { 'a.png': whole, 'b.mp4': parts } },
  );
  assert.deepEqual(Object.values(manifest.assets).map(isWholeAsset), [true, false]);
});

test('a path that is a name of Object.prototype is a path like any other', () => {
  const { assets } = parseManifest(
    JSON.parse(`{"version":1,"leaves":"","assets":{"__proto__":{"digest":"${DIGEST}","size":5,"type":""}}}`),
  );
  assert.deepEqual(Object.keys(assets), ['__proto__']);
  assert.equal('toString' in assets, false);
});

for (const [what, untrusted, says] of [
  ['no object', null, /expected an object/],
  ['a list', [], /expected an object/],
  ['another version', { version: 2 }, /"version" must be 1/],
  ['a version with a toString of its own', JSON.parse('{"version":{"toString":1,"valueOf":1}}'), /"version" must be 1/],
  ['no leaves', { version: 1, assets: {} }, /"leaves"/],
  ['a list of assets', { version: 1, leaves: '', assets: [] }, /"assets"/],
  ['an entry that is no object', { version: 1, leaves: '', assets: { 'a.png': 5 } }, /"a\.png" must be an object/],
  ['an entry without type', entry({ type: undefined }), /"type" of "a\.png"/],
  ['an entry with an endless type', entry({ type: 'x'.repeat(201) }), /"type" of "a\.png"/],
  ['a digest in capitals', entry({ digest: DIGEST.toUpperCase() }), /"a\.png" must have a digest/],
  ['an empty asset', entry({ size: 0 }), /"a\.png" must have/],
  ['half a byte', entry({ size: 1.5 }), /"a\.png" must have/],
  ['a size in words', entry({ size: '5' }), /"a\.png" must have/],
  ['an asset above 64 MiB', entry({ size: MAX_ASSET_BYTES + 1 }), /"a\.png" must have/],
  ['parts of an empty file', entry({ digest: undefined, size: 0, parts: [] }), /"a\.png" must have/],
  ['parts of less than nothing', entry({ digest: undefined, size: -5, parts: [] }), /"a\.png" must have/],
  ['too few parts', entry({ digest: undefined, size: MAX_PART_BYTES + 1, parts: [DIGEST] }), /"a\.png" must have/],
  [
    'a part that is no digest',
    entry({ digest: undefined, size: MAX_PART_BYTES + 1, parts: [DIGEST, 'x'] }),
    /"a\.png" must have/,
  ],
] as [string, unknown, RegExp][]) {
  test(`a manifest with ${what} is refused, and the message names it`, () => {
    assert.throws(
      () => parseManifest(untrusted),
      (error) =>
        error instanceof P2PError &&
        error.code === 'bad-manifest' &&
        says.test(error.message) &&
        error.message.includes('p2p-elements manifest DIR'),
    );
  });
}

test('a manifest of too many entries is refused before they are read', () => {
  const assets = Object.fromEntries(Array.from({ length: MAX_MANIFEST_ENTRIES + 1 }, (_, i) => [`${i}.png`, null]));
  assert.throws(() => parseManifest({ version: 1, leaves: '', assets }), /at most 20000/);
});

test('whatever JSON comes, nothing but a P2PError is thrown', () => {
  const odd = fc.constantFrom<unknown>({ toString: 1, valueOf: 1 }, DIGEST, 5, [DIGEST], MAX_PART_BYTES + 1, null);
  const value = fc.oneof(fc.jsonValue() as fc.Arbitrary<unknown>, odd);
  const entries = fc.dictionary(
    fc.string(),
    fc.oneof(
      value,
      fc.record(
        { digest: value, size: value, type: fc.oneof(value, fc.constant('')), parts: value },
        { requiredKeys: [] },
      ),
    ),
  );
  const manifest = fc.oneof(
    value,
    fc.record({
      version: fc.oneof(fc.constant(1), value),
      leaves: fc.oneof(fc.constant(''), value),
      assets: fc.oneof(entries, value),
    }),
  );
  fc.assert(
    fc.property(manifest, (untrusted) => {
      try {
        for (const asset of Object.values(parseManifest(untrusted).assets)) assert.ok(asset.size > 0);
      } catch (error) {
        if (!(error instanceof P2PError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
