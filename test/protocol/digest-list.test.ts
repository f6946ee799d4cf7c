import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDigestList } from '../../protocol/digest-list.ts';

const ASSET = { url: 'https://cdn.example/a.ts', digest: 'a'.repeat(64), size: 5 };
const LIST = { version: 1, leaves: '/p2p/leaves/', complete: true, assets: [ASSET, { ...ASSET, start: 0 }] };

test('a list is taken as it is', () => {
  assert.equal(parseDigestList(LIST), LIST);
  assert.deepEqual(parseDigestList({ ...LIST, assets: [] }).assets, []);
});

test('anything else is refused', () => {
  const assets = [
    ...[null, 'a', { ...ASSET, url: 5 }, { ...ASSET, digest: 'A'.repeat(64) }, { ...ASSET, digest: 'a' }],
    ...[
      { ...ASSET, size: 0 },
      { ...ASSET, size: 1e9 },
      { ...ASSET, size: '5' },
    ],
    ...[
      { ...ASSET, start: -1 },
      { ...ASSET, start: 0.5 },
      { ...ASSET, start: null },
    ],
  ];
  for (const wrong of [
    ...[null, undefined, 5, 'list', [], {}, { ...LIST, version: 2 }, { ...LIST, leaves: null }],
    ...[
      { ...LIST, complete: 'yes' },
      { ...LIST, assets: {} },
      { ...LIST, assets: new Array(200_001).fill(ASSET) },
    ],
    ...assets.map((asset) => ({ ...LIST, assets: [asset] })),
  ])
    assert.throws(
      () => parseDigestList(wrong),
      { code: 'bad-message' },
      `${typeof wrong}: ${JSON.stringify(wrong)}`.slice(0, 200),
    );
});

test('no JSON makes it throw anything else', () => {
  fc.assert(
    fc.property(fc.anything(), (untrusted) => {
      try {
        parseDigestList(untrusted);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'bad-message');
      }
    }),
  );
});
