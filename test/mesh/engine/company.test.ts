/** What company takes is loaded only when the server names somebody, and may come late or not at all. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { COMPANY_RETRY_MS, REDIAL_AFTER_MS } from '../../../mesh/core/limits.ts';
import { Company } from '../../../mesh/engine/company.ts';
import type { LoadCompany } from '../../../mesh/engine/neighbours.ts';
import { MIN_MESSAGE_BYTES } from '../../../protocol/limits.ts';
import { swarmKey, swarmOfName } from '../../../protocol/swarm.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { nodeSha256 } from '../world/test-asset.ts';
import { World } from '../world/world.ts';

interface Loading {
  readonly company: LoadCompany;
  /** When it was loaded, ms. */
  readonly loads: number[];
}

/** Company that takes `wait` ms to load, and can't be had the first few times. */
function loading(world: World, wait = 0, failures = 0): Loading {
  const loads: number[] = [];
  const company: LoadCompany = async () => {
    loads.push(world.clock.now());
    await world.clock.wait(wait);
    if (loads.length <= failures) throw new TypeError('Failed to fetch dynamically imported module');
    return { Company };
  };
  return { company, loads };
}

test('a peer that stays alone loads nothing for company', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const { company, loads } = loading(world);
  const a = world.peer('A', { company });
  await a.get(lesson);
  await world.clock.advance(10_000);
  assert.equal(a.stats.signaling, 'joined');
  assert.deepEqual(loads, []);
});

test('who is told of somebody loads it with the join reply, who is found with the offer, and each of them once', async () => {
  const world = new World();
  const [ofA, ofB] = [loading(world), loading(world)];
  const a = world.peer('A', ofA);
  await world.connected([a]);
  const b = world.peer('B', ofB);
  await world.clock.until(() => b.stats.signaling === 'joined');
  assert.deepEqual(ofB.loads, [world.clock.now()]);
  await world.clock.until(() => world.said('A post', 'connected').length > 0);
  assert.ok(ofA.loads[0]! < world.clock.now(), 'before the channel opens');
  const c = world.peer('C');
  await world.connected([a, b, c]);
  assert.deepEqual([ofA.loads.length, ofB.loads.length], [1, 1]);
});

for (const late of ['A', 'B'])
  test(`nothing that a channel brings before company is there is lost: ${late === 'A' ? 'who holds' : 'who asks'} is late`, async () => {
    const world = new World();
    const lesson = await world.asset('lesson.ts', 1_000_000);
    const { company } = loading(world, 400);
    const a = world.peer('A', late === 'A' ? { company } : {});
    await a.get(lesson);
    const b = world.peer('B', late === 'B' ? { company } : {});
    const isLink = (): boolean => world.network.openLinks('A', 'B') === 1;
    await world.clock.until(isLink);
    assert.deepEqual([a, b].map(({ stats }) => stats.peers).sort(), [0, 1], 'one of them has no company yet');
    await world.connected([a, b]);
    const got = await b.get(lesson);
    assert.equal(got.source, 'peers');
    assert.deepEqual(got.body, lesson.body);
    assert.equal(world.origin.asked('B').length, 0);
  });

test('what the page says of a connection before company is there counts when it is', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 1_000_000);
  const a = world.peer('A');
  await world.connected([a]);
  let largest = 0;
  world.network.takes = (from, _, { length }) => {
    if (from === 'B') largest = Math.max(largest, length);
    return true;
  };
  const b = world.peer('B', loading(world, 400)); // It offers, so its page is told of the size of messages.
  await world.connected([a, b]);
  await b.get(lesson);
  assert.equal((await a.get(lesson)).source, 'peers');
  assert.ok(largest > MIN_MESSAGE_BYTES);
});

test('a first request waits for company as it waits for the channel, and no longer', async () => {
  for (const [wait, source] of [
    [300, 'peers'],
    [60_000, 'origin'],
  ] as const) {
    const world = new World();
    const lesson = await world.asset('lesson.ts', 300_000);
    await world.peer('A').get(lesson);
    await world.clock.advance(10_000);
    const got = await world.peer('B', loading(world, wait)).get(lesson);
    assert.equal(got.source, source);
    assert.ok(got.took < 1500, `${got.took} ms`);
  }
});

test('a connection that ends before company is there is no neighbour, and is tried again', async () => {
  const world = new World();
  const a = world.peer('A');
  await world.connected([a]);
  const b = world.peer('B', loading(world, 400));
  await world.clock.until(() => world.network.openLinks('A', 'B') === 1);
  world.network.close('A', 'B');
  await world.clock.advance(500);
  assert.equal(b.stats.peers, 0);
  assert.equal(b.peerEvents('connected') + b.peerEvents('gone'), 0);
  await world.connected([a, b]);
});

test('who leaves before company is there has none', async () => {
  const world = new World();
  const a = world.peer('A');
  await world.connected([a]);
  const b = world.peer('B', loading(world, 400));
  await world.clock.until(() => world.network.openLinks('A', 'B') === 1);
  b.engine.leave();
  await world.clock.advance(20_000);
  assert.deepEqual([a.stats.peers, b.stats.peers, world.network.openLinks('A')], [0, 0, 0]);
  b.engine.share();
  await world.connected([a, b]);
});

test('company that can’t be loaded leaves the peer alone with one warning, and is tried again with the next attempt', async () => {
  const world = new World();
  const [first, second] = [await world.asset('1.ts', 300_000), await world.asset('2.ts', 200_000)];
  const a = world.peer('A');
  await a.get(first);
  await a.get(second);
  await world.clock.advance(10_000);
  const { company, loads } = loading(world, 50, 2);
  const b = world.peer('B', { company });
  assert.equal((await b.get(first)).source, 'origin');
  await world.connected([a, b]);
  assert.equal((await b.get(second)).source, 'peers');
  assert.equal(loads.length, 3);
  assert.ok(loads[1]! - loads[0]! >= REDIAL_AFTER_MS[0]!, 'not in a rush');
  assert.deepEqual(
    b.warnings.map(({ code }) => code),
    ['engine-failed'],
  );
  assert.match(b.warnings[0]!.message, /neighbours can't be loaded \(TypeError: Failed to fetch.*goes on alone/);
  assert.equal(world.said('B mesh: alone').length, 2, 'each failure is in the trace');
});

test('company that can never be loaded costs a few attempts and nothing else', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A');
  await a.get(lesson);
  const { company, loads } = loading(world, 50, Infinity);
  const b = world.peer('B', { company });
  assert.equal((await b.get(lesson)).source, 'origin');
  await world.clock.advance(300_000);
  assert.deepEqual([a.stats.peers, b.stats.peers, b.warnings.length], [0, 0, 1]);
  assert.ok(loads.length <= 12, `${loads.length} loads`);
  for (const [i, at] of loads.slice(2).entries())
    assert.ok(at - loads[i + 1]! >= 2 * COMPANY_RETRY_MS, 'ever more seldom');
  assert.ok(world.said('offers').length <= 24, 'nor is the other peer kept busy');
  assert.equal(a.warnings.length, 0);
});

test('a keeper brings what its player expected before there was company', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A');
  await world.connected([a]);
  const { url, name } = lesson;
  a.engine.expect({ type: 'window', player: 1, swarm: null, assets: [{ url, name, within: 8000 }] });
  const raw = world.rawPeer('R');
  await world.clock.until(() => raw.lines.length > 0 && a.stats.peers === 1);
  const swarm = await swarmKey(swarmOfName(WEB_ORIGIN), nodeSha256);
  raw.lines[0]!.send({ type: 'want', swarm, wants: [{ digest: name.digest, within: 5000 }] });
  await world.clock.until(() => a.store.has(name.digest));
});
