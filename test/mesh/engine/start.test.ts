import assert from 'node:assert/strict';
import test from 'node:test';
import {
  ANSWERED_WAIT_MS,
  CHANNEL_WAIT_MS,
  CLAIM_PATIENCE_MS,
  COMPANY_FRESH_MS,
  FIRST_REQUEST_WAIT_MS,
  UNANSWERED_MEMBERS,
  UNANSWERED_WAIT_MS,
  MANIFEST_WAIT_MS,
} from '../../../mesh/core/limits.ts';
import { Pipe } from '../world/pipe.ts';
import { testAsset } from '../world/test-asset.ts';
import { gotOf, type Asking } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

test('a lone peer goes to the origin as soon as the join reply names nobody, with one whole GET', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A');
  const asking = a.ask(lesson);
  await world.clock.until(() => world.origin.requests.length > 0);
  // Connecting takes two ways, joining two more, 20 ms each.
  assert.equal(world.clock.now(), 80);
  await world.clock.until(() => asking.answer !== null);
  assert.deepEqual(gotOf(asking).body, lesson.body);
  assert.deepEqual(
    world.origin.requests.map(({ range, credentials }) => ({ range, credentials })),
    [{ range: null, credentials: 'omit' }],
  );
});

test('a lone peer that has joined goes to the origin without any wait', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A');
  await world.connected([a]);
  const asking = a.ask(lesson);
  await world.clock.until(() => world.origin.requests.length > 0);
  assert.equal(world.clock.now(), asking.askedAt);
});

test('the second peer gets the asset from the first, with no byte of the origin', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 2_000_000);
  const a = world.peer('A');
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const got = await b.get(lesson);
  assert.equal(got.source, 'peers');
  assert.deepEqual(got.body, lesson.body);
  assert.equal(world.origin.asked('B').length, 0);
  assert.deepEqual(b.stats.bytes, { origin: 0, peers: 2_000_000, store: 0, uploaded: 0 });
  assert.ok(a.stats.bytes.uploaded >= 2_000_000);
});

for (const claims of [true, false])
  test(`newcomers that find each other first wait for who has it${claims ? '' : ', of which the server knows nothing'}`, async () => {
    const world = new World();
    world.server.settlesClaims = claims;
    const lesson = await world.asset('lesson.ts', 500_000);
    await world.peer('A').get(lesson);
    await world.clock.advance(COMPANY_FRESH_MS);
    const { clock } = world;
    world.network.route = (from, to) => ({
      pipes: [new Pipe(clock, 10_000)],
      gate: null,
      latency: from === 'A' || to === 'A' ? 6 : 5,
      window: 256 * 1024,
    });
    world.network.handshake = (latency) => (latency > 5 ? 200 : 15);
    const newcomers = [world.peer('B'), world.peer('C')];
    const askings = newcomers.map((peer) => peer.ask(lesson));
    await clock.until(() => askings.every(({ answer }) => answer !== null));
    for (const asking of askings) assert.equal(gotOf(asking).source, 'peers');
    assert.deepEqual([...world.origin.asked('B'), ...world.origin.asked('C')], []);
  });

test('who comes after us and takes long to open its channel holds nobody up', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const { route } = world.network;
  world.network.route = (from, to) => ({ ...route(from, to), latency: from === 'C' || to === 'C' ? 6 : 5 });
  world.network.handshake = (latency) => (latency > 5 ? 5000 : 15);
  await world.connected([world.peer('A')]);
  await world.clock.advance(COMPANY_FRESH_MS);
  const b = world.peer('B');
  world.peer('C');
  await world.clock.until(() => b.stats.peers === 1);
  await world.clock.advance(100);
  const asking = b.ask(lesson);
  await world.clock.until(() => world.origin.asked('B').length > 0);
  assert.ok(world.clock.now() - asking.askedAt < 100, `${world.clock.now() - asking.askedAt} ms`);
});

test('a peer that asks while it is still joining gets the asset from the neighbour that the reply names', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const a = world.peer('A');
  await a.get(lesson);
  const got = await world.peer('B').get(lesson);
  assert.equal(got.source, 'peers');
  assert.equal(world.origin.asked('B').length, 0);
});

test('a channel that never opens holds the first request up for 700 ms from the join reply, and no later one', async () => {
  const world = new World();
  world.network.opens = () => false;
  const [first, second] = [await world.asset('1.ts', 300_000), await world.asset('2.ts', 200_000)];
  const a = world.peer('A');
  await a.get(first);
  await world.clock.advance(COMPANY_FRESH_MS);
  const b = world.peer('B');
  await world.clock.until(() => b.stats.signaling === 'joined');
  const joinedAt = world.clock.now();
  const asking = b.ask(first);
  await world.clock.until(() => world.origin.asked('B').length > 0);
  // Then the server is told that who has it can't be reached.
  assert.equal(world.clock.now(), joinedAt + CHANNEL_WAIT_MS + 2 * world.server.latency);
  await world.clock.until(() => asking.answer !== null);
  const later = b.ask(second);
  await world.clock.until(() => world.origin.asked('B', second.url).length > 0);
  assert.equal(world.clock.now(), later.askedAt);
});

/** A class that has the lesson for long, and somebody who comes now and asks for it. */
async function lateToClass(world: World, classmates: number): Promise<{ asking: Asking; joinedAt: number }> {
  const lesson = await world.asset('lesson.ts', 300_000);
  const members = Array.from({ length: classmates }, (_, i) => world.peer(`A${i}`));
  await world.connected(members, classmates - 1);
  for (const member of members) await member.get(lesson);
  await world.clock.advance(COMPANY_FRESH_MS);
  world.network.answersAfter = 1000;
  const b = world.peer('B');
  const asking = b.ask(lesson);
  await world.clock.until(() => b.stats.signaling === 'joined');
  return { asking, joinedAt: world.clock.now() };
}

test('a class whose machines are all busy is waited for', async () => {
  const world = new World();
  const { asking } = await lateToClass(world, UNANSWERED_MEMBERS);
  await world.clock.until(() => asking.answer !== null);
  assert.equal(gotOf(asking).source, 'peers');
  assert.deepEqual(world.origin.asked('B'), []);
});

test('one of whom nobody answers is waited for two seconds from the join reply', async () => {
  const world = new World();
  world.network.opens = (from, to) => from !== 'B' && to !== 'B';
  const { joinedAt } = await lateToClass(world, UNANSWERED_MEMBERS);
  await world.clock.until(() => world.origin.asked('B').length > 0);
  assert.equal(world.clock.now(), joinedAt + UNANSWERED_WAIT_MS + 2 * world.server.latency);
});

test('one that answers but opens no channel is waited for half a second from the answer', async () => {
  const world = new World();
  const { joinedAt } = await lateToClass(world, UNANSWERED_MEMBERS);
  world.network.handshake = () => 9000;
  await world.clock.until(() => world.origin.asked('B').length > 0);
  const since = world.clock.now() - joinedAt - world.network.answersAfter - ANSWERED_WAIT_MS;
  assert.ok(since > 0 && since <= 6 * world.server.latency, `${since} ms`);
});

test('a crossing of just now is waited for longer, but not for ever, and only once', async () => {
  const world = new World();
  world.network.opens = () => false;
  const [first, second] = [await world.asset('1.ts', 300_000), await world.asset('2.ts', 200_000)];
  const a = world.peer('A');
  await world.connected([a]);
  const b = world.peer('B');
  await world.connected([b], 0);
  void a.ask(first);
  await world.clock.advance(50);
  const { took } = await b.get(first);
  assert.ok(took > CLAIM_PATIENCE_MS && took < CLAIM_PATIENCE_MS + 500, `${took} ms`);
  void a.ask(second);
  await world.clock.advance(50);
  const later = await b.get(second);
  assert.ok(later.took < 1500, `${later.took} ms`);
});

test('a server that never answers holds only the first request of each swarm up, for a second', async () => {
  const world = new World();
  world.server.answers = false;
  const a = world.peer('A');
  const assets = [await world.asset('1.ts', 1000), await world.asset('2.ts', 2000), await world.asset('3.ts', 3000)];
  const took: number[] = [];
  for (const asset of assets) took.push((await a.get(asset)).took);
  assert.ok(took[0]! >= FIRST_REQUEST_WAIT_MS && took[0]! <= FIRST_REQUEST_WAIT_MS + 50, `${took[0]} ms`);
  assert.ok(took[1]! < 50 && took[2]! < 50, took.join());
});

test('an unreachable server holds nothing up once that is known, and is warned of once', async () => {
  const world = new World();
  world.server.kill();
  const a = world.peer('A');
  const got = await a.get(await world.asset('1.ts', 1000));
  assert.ok(got.took < 100, `${got.took} ms`);
  await world.clock.advance(20_000);
  assert.deepEqual(
    a.warnings.map(({ code }) => code),
    ['signaling-unreachable'],
  );
  assert.equal(a.stats.signaling, 'unreachable');
});

test('a request that waited in the service worker waits so much less in the engine', async () => {
  const world = new World();
  world.server.answers = false;
  const got = await world.peer('A').get(await world.asset('1.ts', 1000), { age: 600 });
  assert.ok(got.took >= 400 && got.took < 450, `${got.took} ms`);
});

test('without consent nobody is joined, and everything comes from the origin at once', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A', { share: false });
  const b = world.peer('B', { share: false });
  const asking = b.ask(lesson);
  await world.clock.until(() => world.origin.requests.length > 0);
  assert.equal(world.clock.now(), 0);
  await world.clock.until(() => asking.answer !== null);
  assert.equal(b.stats.signaling, 'off');
  a.engine.share();
  b.engine.share();
  await world.connected([a, b]);
  assert.equal((await a.get(lesson)).source, 'peers');
});

for (const [path, what] of [
  ['media/map.png', ''],
  ['https://cdn.test/map.png', ', at another web origin too'],
] as const)
  test(`what the manifest lists is shared by its URL alone${what}`, async () => {
    const world = new World();
    const url = 'https://school.test/p2p-manifest.json';
    const map = await testAsset(new URL(path, url).href, 200_000);
    world.origin.put(map.url, map.body, { contentType: 'application/octet-stream' });
    const manifest = { version: 1, leaves: 'p2p/leaves/', assets: { [path]: { ...map.name, type: 'image/png' } } };
    world.origin.put(url, Uint8Array.from(Buffer.from(JSON.stringify(manifest))));
    const a = world.peer('A', { manifest: url });
    await a.get({ url: map.url, name: null });
    const b = world.peer('B', { manifest: url });
    await world.connected([a, b]);
    const got = await b.get({ url: `${map.url}#legend`, name: null });
    assert.deepEqual(
      { source: got.source, contentType: got.contentType, shared: got.shared },
      { source: 'peers', contentType: 'image/png', shared: true },
    );
    const file = { url: map.url, size: map.name.size, type: 'image/png', parts: [map.name.digest] };
    assert.deepEqual(await b.engine.shareable(), [file]);
  });

test('a manifest that is not JSON is warned of once, and everything comes from the origin', async () => {
  const world = new World();
  const map = await world.asset('map.png', 1000);
  world.origin.put('https://school.test/m.json', Uint8Array.from(Buffer.from('<!doctype html>')));
  const a = world.peer('A', { manifest: 'https://school.test/m.json' });
  const got = await a.get({ url: map.url, name: null });
  assert.deepEqual({ source: got.source, shared: got.shared }, { source: 'origin', shared: false });
  assert.deepEqual(
    a.warnings.map(({ code }) => code),
    ['bad-manifest'],
  );
});

test('an asset without a name waits for a slow manifest for at most a second', async () => {
  const world = new World();
  const map = await world.asset('map.png', 1000);
  world.origin.put('https://school.test/m.json', new Uint8Array(5_000_000));
  const got = await world.peer('A', { manifest: 'https://school.test/m.json' }).get({ url: map.url, name: null });
  assert.ok(got.took > 1000 && got.took < 1100, `${got.took} ms`);
});

test('what has no digest is passed back to who asked to have it so, and a range goes to the origin as it is', async () => {
  const world = new World();
  const page = await world.asset('page.html', 5000);
  const a = world.peer('A');
  await world.connected([a]);
  const asking = a.ask({ url: page.url, name: null }, { unlisted: 'pass' });
  await world.clock.until(() => asking.answer !== null);
  assert.equal(asking.answer?.type, 'pass');
  const part = await a.get(page, { range: { start: 10, end: 20 } });
  assert.deepEqual(part.body, page.body.slice(10, 20));
  assert.equal(part.shared, false);
});

test('where the origin is gone the manifest of an earlier visit counts, without a warning; one that it answers wrongly does not', async () => {
  const texts = new Map<string, string>();
  const kept = {
    read: (url: string) => Promise.resolve(texts.get(url) ?? null),
    write: async (url: string, text: string) => void texts.set(url, text),
  };
  const world = new World();
  const map = await world.asset('map.png', 1000);
  const manifest = 'https://school.test/m.json';
  const assets = { '/map.png': { ...map.name, type: 'image/png' } };
  world.origin.put(manifest, Uint8Array.from(Buffer.from(JSON.stringify({ version: 1, leaves: '/l/', assets }))));
  /** Does it count as listed, how much may a service worker take from it as what the origin has now, and what is warned of? */
  const listed = async (name: string): Promise<[boolean, number, string[]]> => {
    const peer = world.peer(name, { manifest, kept });
    await world.clock.advance(1000);
    const isListed = (await peer.get({ url: map.url, name: null }).catch(() => null))?.shared === true;
    return [isListed, (await peer.engine.shareable()).length, peer.warnings.map(({ code }) => code)];
  };
  assert.deepEqual(await listed('A'), [true, 1, []]);
  world.origin.reachable = false;
  assert.deepEqual(await listed('B'), [true, 0, []]);
  world.origin.reachable = true;
  world.origin.put(manifest, new Uint8Array(0), { status: 503 });
  assert.deepEqual(await listed('C'), [true, 0, []]);
  world.origin.put(manifest, new Uint8Array(0), { status: 404 });
  assert.deepEqual(await listed('D'), [false, 0, ['manifest-unreachable']]);
});

test('where both manifest and origin take long to be gone, what is held is given all the same', async () => {
  const manifest = 'https://school.test/m.json';
  const world = new World();
  const [map, plan] = [await world.asset('map.png', 1000), await world.asset('plan.png', 1000)];
  const assets = { '/map.png': { ...map.name, type: 'image/png' } };
  const kept = {
    read: () => Promise.resolve(JSON.stringify({ version: 1, leaves: '/l/', assets })),
    write: () => Promise.resolve(),
  };
  world.origin.reachable = false;
  world.origin.latency = 2 * MANIFEST_WAIT_MS;
  const peer = world.peer('A', { manifest, kept });
  for (const { name, body, leaves } of [map, plan]) peer.store.put({ ...name, body, leaves, contentType: '' });
  assert.equal((await peer.get({ url: map.url, name: null })).source, 'store');
  await assert.rejects(peer.get({ url: plan.url, name: null }), /origin/);
});

test('what did not wait for a slow manifest is handed out once that is there, and fetched once', async () => {
  const manifest = 'https://school.test/m.json';
  const world = new World();
  const [map, plan, style, list] = await Promise.all(
    ['map.png', 'plan.png', 'style.css', 'lesson.m3u8'].map((path, i) => world.asset(path, 1000 + i)),
  );
  const listed = [map!, style!, list!];
  const assets = Object.fromEntries(listed.map(({ url, name }) => [new URL(url).pathname, { ...name, type: '' }]));
  world.origin.put(manifest, Uint8Array.from(Buffer.from(JSON.stringify({ version: 1, leaves: '/l/', assets }))));
  world.origin.latency = 2 * MANIFEST_WAIT_MS;
  const cached = (url: string) =>
    Promise.resolve(url === style!.url ? { body: style!.body, contentType: 'text/css', shareable: true } : null);
  const peer = world.peer('A', { manifest, cached });
  await world.clock.advance(MANIFEST_WAIT_MS / 2);
  const early = [peer.get({ url: map!.url, name: null }), peer.get({ url: plan!.url, name: null })];
  peer.engine.seen([style!.url]);
  const body = list!.body.slice().buffer;
  peer.engine.keep({ type: 'keep', url: list!.url, swarm: null, body, contentType: '', shareable: true });
  world.origin.latency = 0;
  await world.clock.advance(MANIFEST_WAIT_MS);
  assert.deepEqual(
    (await Promise.all(early)).map(({ source, shared }) => [source, shared]),
    [
      ['origin', false],
      ['origin', false],
    ],
  );
  const isHere = (): boolean[] => [map, style, list, plan].map((asset) => peer.store.has(asset!.name.digest));
  assert.deepEqual(isHere(), [false, false, false, false]);
  await world.clock.advance(MANIFEST_WAIT_MS);
  assert.deepEqual(isHere(), [true, true, true, false]);
  const other = world.peer('B', { manifest });
  assert.equal((await other.get({ url: map!.url, name: null })).source, 'peers');
  assert.deepEqual(
    world.origin.asked('A').map(({ url }) => url),
    [manifest, map!.url, plan!.url],
  );
});

test('where the origin is gone neighbours hear of what an earlier visit left, without anybody asking for it here', async () => {
  const manifest = 'https://school.test/m.json';
  const world = new World();
  const map = await world.asset('map.png', 1000);
  const assets = { '/map.png': { ...map.name, type: 'image/png' } };
  const kept = {
    read: () => Promise.resolve(JSON.stringify({ version: 1, leaves: '/l/', assets })),
    write: () => Promise.resolve(),
  };
  world.origin.reachable = false;
  const peer = world.peer('A', { manifest, kept });
  peer.store.put({ ...map.name, body: map.body, leaves: map.leaves, contentType: '' });
  const other = world.peer('B');
  await world.connected([peer, other]);
  assert.equal((await other.get(map)).source, 'peers');
});

test('what the page has seen and the manifest lists is taken from the browser’s cache, else brought', async () => {
  const world = new World();
  const [map, old, lost, other] = await Promise.all(
    ['map.png', 'old.png', 'lost.png', 'other.png'].map((path, i) => world.asset(path, 1000 + i)),
  );
  const manifest = 'https://school.test/m.json';
  const listed = [map!, old!, lost!];
  const assets = Object.fromEntries(listed.map(({ url, name }) => [new URL(url).pathname, { ...name, type: '' }]));
  world.origin.put(manifest, Uint8Array.from(Buffer.from(JSON.stringify({ version: 1, leaves: '/l/', assets }))));
  const bodies = new Map([
    [map!.url, map!.body],
    [old!.url, lost!.body.slice(0, old!.body.length)],
  ]);
  const cached = async (url: string) => {
    const body = bodies.get(url);
    return body ? { body, contentType: 'image/png', shareable: true } : null;
  };
  const a = world.peer('A', { manifest, cached });
  a.engine.seen([other!.url, map!.url, old!.url, lost!.url, 'https://cdn.test/x.js', map!.url]);
  await world.clock.advance(3000);
  assert.deepEqual(
    [map, old, lost, other].map((asset) => a.store.has(asset!.name.digest)),
    [true, true, true, false],
  );
  assert.deepEqual(
    world.origin.asked('A').map(({ url }) => url),
    [manifest, old!.url, lost!.url],
  );
  assert.deepEqual(a.warnings, []);
});
