/** What the page had from the origin itself, before the engine was there. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_LATE_BYTES } from '../../../mesh/core/limits.ts';
import type { TestAsset } from '../world/test-asset.ts';
import type { WorldPeer } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

const MANIFEST = 'https://school.test/p2p-manifest.json';

/** A peer of a world whose manifest lists one asset. */
async function listed(): Promise<{ world: World; asset: TestAsset; a: WorldPeer }> {
  const world = new World();
  const asset = await world.asset('lesson.m3u8', 2000);
  const assets = { '/lesson.m3u8': { ...asset.name, type: 'text/plain' } };
  const manifest = JSON.stringify({ version: 1, leaves: '/p2p/leaves/', assets });
  world.origin.put(MANIFEST, Uint8Array.from(Buffer.from(manifest)));
  return { world, asset, a: world.peer('A', { manifest: MANIFEST }) };
}

const keep = (peer: WorldPeer, url: string, body: Uint8Array<ArrayBuffer>, shareable = true): void =>
  peer.engine.keep({ type: 'keep', url, swarm: null, body: body.slice().buffer, contentType: '', shareable });

test('it is handed out if the manifest lists it', async () => {
  const { world, asset, a } = await listed();
  keep(a, asset.url, asset.body);
  const b = world.peer('B', { manifest: MANIFEST });
  await world.connected([a, b]);
  const { source, body } = await b.get({ url: asset.url, name: null });
  assert.equal(source, 'peers');
  assert.deepEqual(body, asset.body);
});

test('it is handed out if it has a name by now that no manifest lists, and its bytes were counted before', async () => {
  const world = new World();
  const asset = await world.asset('0.ts', 2000);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  const { shareable, shared } = await a.get({ url: asset.url, name: null });
  assert.deepEqual([shareable, shared, a.stats.bytes.origin], [true, false, 2000]);
  const named = { type: 'keep', url: asset.url, swarm: null, contentType: 'video/mp2t', shareable: true } as const;
  a.engine.keep({ ...named, body: asset.body.slice().buffer, name: asset.name });
  await world.clock.advance(1000);
  assert.equal(a.stats.bytes.origin, 2000);
  assert.equal((await b.get({ url: asset.url, name: asset.name })).source, 'peers');
});

test('who comes a second later waits for who had it before it had a name', async () => {
  const world = new World();
  const asset = await world.asset('0.ts', 2000);
  const a = world.peer('A');
  await world.connected([a]);
  await a.get({ url: asset.url, name: null });
  const named = { type: 'keep', url: asset.url, swarm: null, contentType: 'video/mp2t', shareable: true } as const;
  a.engine.keep({ ...named, body: asset.body.slice().buffer, name: asset.name });
  await world.clock.advance(1000);
  assert.equal((await world.peer('B').get(asset)).source, 'peers');
  assert.deepEqual(world.origin.asked('B'), []);
});

test('… but not for who did not keep it', async () => {
  const world = new World();
  const asset = await world.asset('0.ts', 2000);
  const a = world.peer('A');
  await world.connected([a]);
  const named = { type: 'keep', url: asset.url, swarm: null, contentType: '', shareable: false } as const;
  a.engine.keep({ ...named, body: asset.body.slice().buffer, name: asset.name });
  await world.clock.advance(1000);
  const asking = world.peer('B').ask(asset);
  await world.clock.until(() => asking.answer !== null);
  assert.ok(world.clock.now() - asking.askedAt < 500, `${world.clock.now() - asking.askedAt} ms`);
});

test('other bytes than the name says are nobody’s, and the name is believed still', async () => {
  const world = new World();
  const asset = await world.asset('0.ts', 2000);
  const a = world.peer('A');
  const body = asset.body.slice();
  body[7]! ^= 1;
  a.engine.keep({
    type: 'keep',
    url: asset.url,
    swarm: null,
    contentType: '',
    shareable: true,
    body: body.buffer,
    name: asset.name,
  });
  await world.clock.advance(1000);
  assert.deepEqual([a.store.has(asset.name.digest), a.warnings], [false, []]);
  assert.equal((await a.get({ url: asset.url, name: asset.name })).shared, true);
});

test('it counts as bytes of the origin', async () => {
  const { world, asset, a } = await listed();
  await world.clock.advance(1000);
  const before = a.stats.bytes.origin;
  keep(a, asset.url, asset.body);
  assert.equal(a.stats.bytes.origin - before, 2000);
});

test('what contradicts the manifest is warned of, and nobody gets it', async () => {
  const { world, asset, a } = await listed();
  const changed = asset.body.slice();
  changed[7]! ^= 1;
  keep(a, asset.url, changed);
  await world.clock.advance(1000);
  assert.deepEqual(
    a.warnings.map(({ code }) => code),
    ['digest-mismatch'],
  );
  assert.equal(a.store.has(asset.name.digest), false);
});

test('while the manifest is late only so much waits for it; once it is there size is no matter', async () => {
  const world = new World();
  const large = await world.asset('film.mp4', MAX_LATE_BYTES + 1);
  const assets = { '/film.mp4': { ...large.name, type: 'video/mp4' } };
  const manifest = JSON.stringify({ version: 1, leaves: '/p2p/leaves/', assets });
  world.origin.put(MANIFEST, Uint8Array.from(Buffer.from(manifest)));
  const a = world.peer('A', { manifest: MANIFEST });
  keep(a, large.url, large.body);
  await world.clock.advance(1000);
  assert.equal(a.store.has(large.name.digest), false);
  keep(a, large.url, large.body);
  await world.clock.advance(1000);
  assert.equal(a.store.has(large.name.digest), true);
});

test('what is private, empty or not listed is not kept', async () => {
  const { world, asset, a } = await listed();
  keep(a, asset.url, asset.body, false);
  keep(a, asset.url, new Uint8Array());
  keep(a, 'https://school.test/other', asset.body);
  await world.clock.advance(1000);
  assert.equal(a.store.has(asset.name.digest), false);
  assert.deepEqual(a.warnings, []);
});
