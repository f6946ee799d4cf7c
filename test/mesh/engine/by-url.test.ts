/** What has no digest, on pages that let it be shared all the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { nameOf, urlKey } from '../../../protocol/digest.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import type { RawPeer } from '../world/raw-peer.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { nodeSha256, testBody, type TestAsset } from '../world/test-asset.ts';
import { World } from '../world/world.ts';
import { gotOf, type Got, type WorldPeer } from '../world/world-peer.ts';

const BY_URL = `${WEB_ORIGIN} by URL`;
const FRESH = { contentType: 'image/png', headers: { 'cache-control': 'max-age=60' } };
const SIZE = 3 * BLOCK_BYTES + 5;

const sharing = (world: World, name: string): WorldPeer => world.peer(name, { sharesUnverified: true });

const get = (peer: WorldPeer, asset: TestAsset): Promise<Got> =>
  peer.get({ url: asset.url, name: null }, { use: 'image' });

const keyOf = (url: string): Promise<Digest> => urlKey(url, nodeSha256);

test('an image without a digest comes from the neighbour that has it, and is named by its URL', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  const first = await get(a, asset);
  assert.deepEqual([first.source, first.shared, first.contentType], ['origin', true, 'image/png']);
  const second = await get(b, asset);
  assert.deepEqual([second.source, second.shared, second.contentType], ['peers', true, 'image/png']);
  assert.deepEqual(second.body, asset.body);
  assert.equal(world.origin.requests.filter(({ url }) => url === asset.url).length, 1);
  assert.equal((await get(b, asset)).source, 'store');
});

for (const settlesClaims of [true, false])
  test(`those who want it at the same time let one bring it, ${settlesClaims ? 'as the server says' : 'as they say to each other'}`, async () => {
    const world = new World();
    world.server.settlesClaims = settlesClaims;
    // Longer than anybody waits who has heard of nobody.
    world.origin.latency = 1500;
    const asset = await world.asset('map.png', SIZE, FRESH);
    const peers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => sharing(world, name));
    await world.connected(peers);
    const got = await Promise.all(peers.map((peer) => get(peer, asset)));
    for (const { body } of got) assert.deepEqual(body, asset.body);
    assert.equal(world.origin.requests.filter(({ url }) => url === asset.url).length, 1);
  });

test('of a page that does not want it nothing is shared so', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), world.peer('b')];
  await world.connected([a, b]);
  await get(a, asset);
  const { source, shared } = await get(b, asset);
  assert.deepEqual([source, shared], ['origin', false]);
});

for (const [why, how] of [
  ['private', { shareable: false }],
  ['not fresh', { headers: {} }],
  ['a page of HTML', { contentType: 'text/html' }],
  ['for who has a cookie', { wantsCookie: true }],
  ['a playlist', { contentType: 'application/vnd.apple.mpegurl' }],
] as const)
  test(`what is ${why} is the page's alone`, async () => {
    const world = new World();
    const asset = await world.asset('map.png', SIZE, { ...FRESH, ...how });
    const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
    await world.connected([a, b]);
    for (const peer of [a, b]) {
      const { source, shared, body } = await get(peer, asset);
      assert.deepEqual([source, shared], ['origin', false]);
      assert.deepEqual(body, asset.body);
    }
    assert.deepEqual(world.said('named '), []);
  });

test('it is handed out only as long as it is fresh', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  await get(a, asset);
  await world.clock.advance(61_000);
  assert.equal(world.said('a>b lost').length, 2, 'the key while it was brought, then the asset');
  world.origin.put(asset.url, testBody(SIZE, 7), FRESH);
  const { source, body } = await get(b, asset);
  assert.equal(source, 'origin');
  assert.deepEqual(body, testBody(SIZE, 7));
  assert.deepEqual((await get(a, asset)).body, testBody(SIZE, 7), 'nor given to its own page');
});

test('a name by URL never answers a request for a digest, nor the reverse', async () => {
  const world = new World();
  const [unlisted, listed] = await Promise.all([world.asset('map.png', SIZE, FRESH), world.asset('film.ts', SIZE + 1)]);
  const a = sharing(world, 'a');
  const raw = world.rawPeer('raw', { swarms: [WEB_ORIGIN, BY_URL] });
  await world.clock.until(() => raw.lines.length === 1);
  await world.clock.advance(500);
  await get(a, unlisted);
  await a.get(listed);
  const byUrl = await nameOf(unlisted.body, nodeSha256, await keyOf(unlisted.url));
  assert.deepEqual(await answersTo(world, raw, unlisted.name.digest), ['refuse']);
  assert.deepEqual(await answersTo(world, raw, await keyOf(unlisted.url)), ['refuse']);
  assert.deepEqual(await answersTo(world, raw, await keyOf(listed.url)), ['refuse']);
  assert.deepEqual(await answersTo(world, raw, byUrl.digest), ['leaves', 'block']);
  assert.deepEqual(await answersTo(world, raw, listed.name.digest), ['leaves', 'block']);
  const names = raw.heard.flatMap((message) => (message.type === 'named' ? message.names : []));
  assert.deepEqual(
    names.map(({ urlKey: key, digest, size }) => ({ key, digest, size })),
    [{ key: await keyOf(unlisted.url), digest: unlisted.name.digest, size: SIZE }],
  );
});

test('a service worker that is to bring it tells what came, and others have it from here', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  const asking = a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
  await world.clock.until(() => asking.answer !== null);
  assert.deepEqual(asking.answer, { type: 'pass', id: 1, brings: true });
  // Waits for it meanwhile.
  const waiting = b.ask({ url: asset.url, name: null }, { use: 'image' });
  await world.clock.advance(500);
  assert.equal(waiting.answer, null);
  a.engine
    .asker(() => undefined)
    .ask({
      type: 'brought',
      url: asset.url,
      answer: { body: asset.body.slice().buffer, contentType: 'image/png', headers: FRESH.headers },
    });
  await world.clock.until(() => waiting.answer !== null);
  assert.equal(gotOf(waiting).source, 'peers');
  assert.deepEqual(world.origin.requests, []);
});

test('what it brought is no image, so nobody is told', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
  await world.clock.advance(300);
  const answer = { body: asset.body.slice().buffer, contentType: 'text/html', headers: FRESH.headers };
  a.engine.asker(() => undefined).ask({ type: 'brought', url: asset.url, answer });
  await world.clock.advance(1000);
  assert.deepEqual(world.said('named '), []);
});

test('when it tells that it may not be shared, the others bring it at once', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
  const waiting = b.ask({ url: asset.url, name: null }, { use: 'image' });
  await world.clock.advance(300);
  a.engine.asker(() => undefined).ask({ type: 'brought', url: asset.url, answer: null });
  const toldAt = world.clock.now();
  await world.clock.until(() => waiting.answer !== null);
  assert.ok(waiting.answeredAt - toldAt < 500, `${waiting.answeredAt - toldAt} ms after it was told`);
});

test('what did not come is asked for again, also where it could not come before', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const a = sharing(world, 'a');
  await world.clock.advance(3000);
  for (const answer of [null, null, 'private'] as const) {
    const asking = a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
    await world.clock.until(() => asking.answer !== null);
    assert.ok(asking.answer !== null && 'brings' in asking.answer);
    a.engine.asker(() => undefined).ask({ type: 'brought', url: asset.url, answer });
  }
  const last = a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
  await world.clock.until(() => last.answer !== null);
  assert.deepEqual(last.answer, { type: 'pass', id: 4 }, 'nor is what is not for others');
});

test('askers of one engine bring it once, and wait for a service worker only for a while', async () => {
  const world = new World();
  world.origin.latency = 500;
  const [map, film] = [await world.asset('map.png', SIZE, FRESH), await world.asset('film.png', SIZE, FRESH)];
  const a = sharing(world, 'a');
  await world.clock.advance(3000);
  const sources = await Promise.all([1, 2, 3].map(async () => (await get(a, map)).source));
  assert.deepEqual(sources.sort(), ['origin', 'store', 'store']);
  a.ask({ url: film.url, name: null }, { use: 'image', unlisted: 'pass' });
  await world.clock.advance(100);
  const hurried = await a.get({ url: film.url, name: null }, { use: 'image', deadline: 1000 });
  assert.ok(hurried.took < 2000, `waited for ${hurried.took} ms`);
});

test('what had to go is named to no newcomer', async () => {
  const world = new World();
  const [asset, large] = [await world.asset('map.png', SIZE, FRESH), await world.asset('large.ts', SIZE)];
  const a = world.peer('a', { sharesUnverified: true, storeBytes: SIZE + 100 });
  await world.clock.advance(3000);
  await get(a, asset);
  await a.get(large);
  const b = sharing(world, 'b');
  await world.connected([a, b]);
  await world.clock.advance(500);
  assert.deepEqual(world.said('a>b named'), []);
});

test('bytes of the store are counted', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const a = sharing(world, 'a');
  await world.clock.advance(3000);
  await get(a, asset);
  await get(a, asset);
  assert.deepEqual(a.stats.bytes, { origin: SIZE, peers: 0, store: SIZE, uploaded: 0 });
});

test('of another web origin nothing is shared so, for it hides what its answers differ by', async () => {
  const world = new World();
  const url = 'https://cdn.test/map.png';
  world.origin.put(url, testBody(SIZE), FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  for (const peer of [a, b]) assert.equal((await peer.get({ url, name: null }, { use: 'image' })).shared, false);
});

test('a service worker that never tells keeps nobody waiting for long', async () => {
  const world = new World();
  const asset = await world.asset('map.png', SIZE, FRESH);
  const [a, b] = [sharing(world, 'a'), sharing(world, 'b')];
  await world.connected([a, b]);
  a.ask({ url: asset.url, name: null }, { use: 'image', unlisted: 'pass' });
  await world.clock.advance(200);
  const { source, took } = await get(b, asset);
  assert.equal(source, 'origin');
  assert.ok(took < 6000, `waited for ${took} ms`);
});

/** What comes of asking for the first block of this. */
async function answersTo(world: World, raw: RawPeer, digest: Digest): Promise<string[]> {
  const before = raw.heard.length;
  raw.lines[0]?.send({ type: 'request', request: 77, digest, first: 0, count: 1, leaves: true });
  await world.clock.advance(1000);
  return raw.heard
    .slice(before)
    .flatMap((message) => ('request' in message && message.request === 77 ? [message.type] : []));
}
