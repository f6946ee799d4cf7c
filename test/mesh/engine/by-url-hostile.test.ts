/** Neighbours that say what is not so of URLs, on pages that let be shared what has no digest. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { byUrlDigest, nameOf, urlKey } from '../../../protocol/digest.ts';
import type { AssetName, Digest } from '../../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { swarmKey } from '../../../protocol/swarm-key.ts';
import { RawPeer, type RawPeerOptions } from '../world/raw-peer.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { nodeSha256, testBody, type TestAsset } from '../world/test-asset.ts';
import { World } from '../world/world.ts';
import type { Got, WorldPeer } from '../world/world-peer.ts';

const BY_URL = `${WEB_ORIGIN} by URL`;
const KEY = await swarmKey(swarmOfName(BY_URL), nodeSha256);
const FRESH = { contentType: 'image/png', headers: { 'cache-control': 'max-age=60' } };
const SIZE = 3 * BLOCK_BYTES + 5;
const DAY = 24 * 3600 * 1000;

const sharing = (world: World, name: string): WorldPeer => world.peer(name, { sharesUnverified: true });

const get = (peer: WorldPeer, { url }: Pick<TestAsset, 'url'>): Promise<Got> =>
  peer.get({ url, name: null }, { use: 'image' });

/** Says that this is at the URL, and that it holds it. */
async function claim(raw: RawPeer, url: string, content: AssetName, freshFor = 60_000): Promise<void> {
  const key = await urlKey(url, nodeSha256);
  const digests = [await byUrlDigest(key, content, nodeSha256), content.digest];
  for (const line of raw.lines) {
    line.send({ type: 'named', swarm: KEY, names: [{ urlKey: key, ...content, freshFor }] });
    line.send({ type: 'have', swarm: KEY, digests });
  }
}

async function attacked(world: World, options: Partial<RawPeerOptions> = {}) {
  const liar = world.rawPeer('liar', { swarms: [WEB_ORIGIN, BY_URL], ...options });
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b], 2);
  await world.clock.until(() => liar.lines.length === 2);
  await world.clock.advance(500);
  return { liar, a, b };
}

test('a URL whose content is said to be a listed script’s does not change the script, nor becomes it', async () => {
  const world = new World();
  world.origin.latency = 300;
  const image = await world.asset('upload/evil.png', SIZE, FRESH);
  const script = await world.asset('app.js', SIZE + 1, { contentType: 'text/javascript' });
  const { liar, a, b } = await attacked(world);
  await claim(liar, image.url, script.name);
  await world.clock.advance(100);
  const shown = b.ask({ url: image.url, name: null }, { use: 'image' });
  await world.clock.advance(10);
  assert.deepEqual((await b.get(script)).body, script.body);
  await world.clock.until(() => shown.answer !== null);
  // Nor where the script is here already.
  await a.get(script);
  assert.deepEqual((await get(a, image)).body, image.body);
});

for (const [what, change] of [
  ['of another URL', (name: AssetName): AssetName => name],
  ['of another size', ({ digest }: AssetName): AssetName => ({ digest, size: 10 })],
] as const)
  test(`who holds an asset that a liar names as that ${what} is not banned for it`, async () => {
    const world = new World();
    const [held, other] = [await world.asset('map.png', SIZE, FRESH), await world.asset('other.png', SIZE + 9, FRESH)];
    const { liar, a, b } = await attacked(world);
    await get(a, held);
    await world.clock.advance(100);
    await claim(liar, what === 'of another URL' ? other.url : held.url, change(held.name));
    await world.clock.advance(100);
    const wanted = what === 'of another URL' ? other : held;
    assert.deepEqual((await get(b, wanted)).body, wanted.body);
    assert.deepEqual(world.said(`b post`, 'banned', a.stats.peer ?? ''), []);
  });

test('what a neighbour gives is held against what it named', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const key = await urlKey(asset.url, nodeSha256);
  const named = await nameOf(testBody(SIZE, 3), nodeSha256, key);
  const { liar, b } = await attacked(world, {
    answer: ({ request, leaves }, line) => {
      if (leaves) line.send({ type: 'leaves', request, size: SIZE, untrustedLeaves: named.leaves });
      line.send({ type: 'block', request, index: 0, untrustedBlock: testBody(BLOCK_BYTES, 9) });
    },
  });
  await claim(liar, asset.url, await nameOf(testBody(SIZE, 3), nodeSha256));
  await world.clock.advance(100);
  assert.deepEqual((await get(b, asset)).body, asset.body);
  assert.equal(b.peerEvents('banned'), 1);
});

test('names that go on changing hold nobody up', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const { liar, b } = await attacked(world, {
    answer: ({ request }, line) => line.send({ type: 'refuse', request, reason: 'busy' }),
  });
  const asking = b.ask({ url: asset.url, name: null }, { use: 'image' });
  for (let round = 1; round < 300 && !asking.answer; round++) {
    await claim(liar, asset.url, { digest: round.toString(16).padStart(64, '0') as Digest, size: SIZE });
    await world.clock.advance(100);
  }
  assert.ok(asking.answeredAt - asking.askedAt < 10_000, `answered after ${asking.answeredAt - asking.askedAt} ms`);
  assert.ok(world.origin.asked('b', asset.url).length <= 2);
});

test('that which most neighbours say counts', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const { liar, a, b } = await attacked(world);
  const c = sharing(world, 'c');
  await world.connected([a, b, c], 3);
  await get(a, asset);
  await get(c, asset);
  await world.clock.advance(100);
  await claim(liar, asset.url, await nameOf(testBody(SIZE, 3), nodeSha256));
  await world.clock.advance(100);
  const { source, body } = await get(b, asset);
  assert.deepEqual([source, body], ['peers', asset.body]);
});

test('nobody’s word makes it fresh for longer than a day', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, { ...FRESH, headers: { 'cache-control': 'max-age=999999999' } });
  const { liar, a, b } = await attacked(world);
  await get(a, asset);
  await claim(liar, asset.url, asset.name, 2 ** 32 - 1);
  await world.clock.advance(100);
  assert.equal((await get(b, asset)).source, 'peers');
  world.origin.put(asset.url, testBody(SIZE, 9), FRESH);
  await world.clock.advance(DAY + 1000);
  assert.deepEqual((await get(b, asset)).body, testBody(SIZE, 9));
});

test('what has become private is not told again when it has to be brought anew', async () => {
  const world = new World();
  const [asset, large] = [await world.asset('map.png', SIZE, FRESH), await world.asset('large.ts', SIZE)];
  const a = world.peer('a', { sharesUnverified: true, storeBytes: SIZE + 100 });
  const b = sharing(world, 'b');
  await world.connected([a, b]);
  await get(a, asset);
  await world.clock.advance(100);
  const told = world.said('a>b named').length;
  await a.get(large);
  world.origin.put(asset.url, asset.body, { ...FRESH, shareable: false });
  assert.equal((await get(a, asset)).shared, false);
  await world.clock.advance(100);
  assert.equal(world.said('a>b named').length, told);
});
