import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import type { SwarmId } from '../../protocol/ids.ts';
import { MAX_SWARM_ID_CHARACTERS } from '../../protocol/limits.ts';
import { swarmOfName, swarmOfStream } from '../../protocol/swarm.ts';
import { swarmKey } from '../../protocol/swarm-key.ts';
import { nodeSha256 } from '../mesh/world/test-asset.ts';
import { readVectors } from './read-vectors.ts';

const vectors = readVectors('swarm-keys') as { swarm: string; key: string }[];

for (const { swarm, key } of vectors) {
  test(`the key of the swarm "${swarm}" is the documented one`, async () => {
    assert.equal(await swarmKey(swarmOfName(swarm), nodeSha256), key);
  });
}

test('signed addresses of one stream are one swarm', () => {
  const plain = swarmOfStream('https://cdn.test/a.m3u8');
  for (const url of ['https://cdn.test/a.m3u8?sig=1', 'https://cdn.test/a.m3u8#t=1', 'https://cdn.test/a.m3u8?x#y?z'])
    assert.equal(swarmOfStream(url), plain);
  assert.notEqual(swarmOfStream('https://cdn.test/b.m3u8'), plain);
});

test('a name that can not be a swarm is refused, and the message says why', () => {
  for (const name of ['', 'a\tb', 'x'.repeat(MAX_SWARM_ID_CHARACTERS + 1)])
    assert.throws(
      () => swarmOfName(name),
      (error) =>
        error instanceof P2PError && error.code === 'bad-attribute' && error.message.includes(String(name.length)),
    );
});

test('different swarms have different keys, also where only one half of a character differs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.string({ minLength: 1, unit: 'binary' }),
      async (a, b) => {
        const [one, two] = await Promise.all([swarmKey(a as SwarmId, nodeSha256), swarmKey(b as SwarmId, nodeSha256)]);
        assert.match(one, /^[0-9a-f]{32}$/);
        assert.equal(one === two, a === b);
      },
    ),
  );
  assert.notEqual(await swarmKey('\ud83d' as SwarmId, nodeSha256), await swarmKey('\ud83e' as SwarmId, nodeSha256));
});
