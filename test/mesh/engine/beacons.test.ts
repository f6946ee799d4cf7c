import assert from 'node:assert/strict';
import test from 'node:test';
import { BEACON_EVERY_MS, FIRST_BEACON_MS, OFF_AGAIN_MS } from '../../../mesh/core/limits.ts';
import { MAX_FIRST_FRAMES } from '../../../protocol/beacon.ts';
import { parseBeacon } from '../../../server/beacons/parse-beacon.ts';
import { World } from '../world/world.ts';

test('a beacon tells what happened since the one before: soon after the join, then once a minute', async () => {
  const world = new World();
  const { beacons } = world.server;
  const a = world.peer('A');
  const lesson = await world.asset('lesson.ts', 300_000);
  await a.get(lesson);
  a.engine.played({ firstFrame: 350 });
  a.engine.played({ stalls: 1 });
  await world.clock.advance(FIRST_BEACON_MS - 1000);
  assert.equal(beacons.length, 0);
  await world.clock.advance(2000);
  const bytes = { origin: 0, peers: 0, store: 0, uploaded: 0 };
  const quiet = { from: 'A', bytes, stalls: 0, stalled: 0, firstFrames: [], noMesh: 'alone' };
  assert.deepEqual(beacons, [{ ...quiet, bytes: { ...bytes, origin: 300_000 }, stalls: 1, firstFrames: [350] }]);
  a.engine.played({ stalled: 1200 });
  await a.get(lesson);
  await world.clock.advance(BEACON_EVERY_MS);
  assert.deepEqual(beacons[1], { ...quiet, bytes: { ...bytes, store: 300_000 }, stalled: 1200 });
  await world.clock.advance(BEACON_EVERY_MS);
  assert.deepEqual(beacons[2], quiet);
  for (const beacon of beacons) assert.ok(parseBeacon(beacon).ok, 'as the server takes it');
});

test('whoever leaves tells the rest, once, and nothing more', async () => {
  const world = new World();
  const a = world.peer('A');
  await a.get(await world.asset('lesson.ts', 300_000));
  a.engine.played({ firstFrame: 90 });
  await world.clock.advance(1000);
  a.engine.leave();
  a.engine.leave();
  await world.clock.advance(10 * BEACON_EVERY_MS);
  assert.deepEqual(
    world.server.beacons.map(({ bytes, firstFrames }) => [bytes.origin, firstFrames]),
    [[300_000, [90]]],
  );
});

test('while the server is away nothing is told, and nothing is lost or told twice', async () => {
  const world = new World();
  const a = world.peer('A');
  await world.clock.advance(FIRST_BEACON_MS + 1000);
  assert.equal(world.server.beacons.length, 1);
  world.server.kill();
  a.engine.played({ stalls: 1 });
  await world.clock.advance(2 * BEACON_EVERY_MS);
  a.engine.played({ stalls: 2 });
  assert.equal(world.server.beacons.length, 1);
  world.server.revive();
  await world.clock.advance(3 * BEACON_EVERY_MS);
  assert.equal(
    world.server.beacons.reduce((sum, { stalls }) => sum + stalls, 0),
    3,
  );
});

test('of many first frames some are told', async () => {
  const world = new World();
  const a = world.peer('A');
  for (let i = 0; i < 100; i++) a.engine.played({ firstFrame: i });
  await world.clock.advance(FIRST_BEACON_MS + 1000);
  assert.equal(world.server.beacons[0]?.firstFrames.length, MAX_FIRST_FRAMES);
});

test('why there is no mesh: joining, alone, connected, and what the server says', async () => {
  const world = new World();
  const waiting = world.peer('W', { share: false });
  assert.equal(waiting.stats.noMesh, 'not-sharing');
  const a = world.peer('A');
  assert.equal(a.stats.noMesh, 'joining');
  await world.clock.until(() => a.stats.signaling === 'joined');
  assert.equal(a.stats.noMesh, 'alone');
  const b = world.peer('B');
  await world.connected([a, b]);
  assert.equal(a.stats.noMesh, null);
  b.die();
  world.server.kill();
  await world.clock.until(() => a.stats.peers === 0, 10_000);
  assert.equal(a.stats.noMesh, 'unreachable');
});

for (const off of ['holdout', 'switched-off'] as const)
  test(`who hears "${off}" loads all from the origin at once, as if alone, and asks again now and then`, async () => {
    const world = new World();
    world.server.off = off;
    const lesson = await world.asset('lesson.ts', 300_000);
    const [a, b] = [world.peer('A'), world.peer('B')];
    await a.get(lesson);
    await world.clock.advance(2000);
    const from = world.clock.now();
    await b.get(lesson);
    assert.ok(world.clock.now() - from < 1000, 'it waits for nobody');
    for (const { stats } of [a, b]) {
      assert.deepEqual([stats.peers, stats.bytes.peers, stats.noMesh, stats.signaling], [0, 0, off, 'off']);
      assert.equal(stats.bytes.origin, 300_000);
    }
    assert.equal(a.warnings.length + b.warnings.length, 0);
    await world.clock.advance(FIRST_BEACON_MS);
    assert.deepEqual(
      world.server.beacons.map(({ noMesh }) => noMesh),
      [off, off],
    );
    world.server.off = null;
    await world.clock.advance(1.6 * OFF_AGAIN_MS);
    assert.deepEqual([a.stats.peers, b.stats.peers, a.stats.noMesh, a.stats.signaling], [1, 1, null, 'joined']);
  });

test('a running mesh ends with the next join reply that says so, and its bytes come from the origin', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  world.server.off = 'switched-off';
  a.engine.join('stream' as Parameters<typeof a.engine.join>[0]);
  await world.clock.until(() => a.stats.noMesh === 'switched-off' && b.stats.peers === 0);
  assert.equal(a.stats.peers, 0);
  const lesson = await world.asset('lesson.ts', 300_000);
  await b.get(lesson);
  await world.clock.advance(5000);
  assert.equal((await a.get(lesson)).source, 'origin');
  assert.equal(a.stats.peers, 0);
});

test('who hears that there is no mesh dials nobody again whose connection has just broken', async () => {
  const world = new World();
  const { server } = world;
  const b = world.peer('B');
  await world.clock.advance(1000);
  const a = world.peer('A'); // the newcomer offers, and offers again
  await world.connected([a, b]);
  const relay = server.relay.bind(server);
  let inVain = 0;
  server.relay = (client, request) => {
    if (client.peer === null) inVain++;
    return relay(client, request);
  };
  b.die();
  await world.clock.until(() => a.stats.peers === 0, 10_000);
  server.off = 'switched-off';
  a.engine.join('stream' as Parameters<typeof a.engine.join>[0]);
  await world.clock.until(() => a.stats.noMesh === 'switched-off');
  await world.clock.advance(60_000);
  assert.equal(inVain, 0);
});
