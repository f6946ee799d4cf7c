import assert from 'node:assert/strict';
import test from 'node:test';
import { GONE_AFTER_MS } from '../../../mesh/core/limits.ts';
import { randomHex } from '../world/seeded-random.ts';
import { World } from '../world/world.ts';
import type { PeerId, SwarmId } from '../../../protocol/ids.ts';
import { MAX_SWARMS } from '../../../protocol/limits.ts';

test('a peer that is cut off without a word is gone from the statistics in under 5 s, at whatever moment', async () => {
  for (let phase = 0; phase < 1300; phase += 130) {
    const world = new World();
    const [a, b] = [world.peer('A'), world.peer('B')];
    await world.connected([a, b]);
    await world.clock.advance(phase);
    a.die();
    const from = world.clock.now();
    const reported = (): boolean => b.posts.findLast((post) => post.type === 'stats')?.stats.peers === 0;
    await world.clock.until(reported);
    const took = world.clock.now() - from;
    assert.ok(took < 5000, `${took} ms`);
    assert.ok(took > 2500, 'it was given time to answer');
    assert.equal(b.peerEvents('gone'), 1);
  }
});

test('an idle neighbour that answers pings stays', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  await world.clock.advance(60_000);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  assert.equal(a.peerEvents('gone') + b.peerEvents('gone'), 0);
  assert.ok(world.said('ping').length < 150, 'about one in a second');
});

test('who stood still for long accuses nobody: a tick that comes late is one tick', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  await world.clock.advance(1000);
  world.clock.sleep(3 * GONE_AFTER_MS);
  await world.clock.advance(2 * GONE_AFTER_MS);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  assert.equal(a.peerEvents('gone') + b.peerEvents('gone'), 0);
});

test('a server that was killed and comes back finds both joined again under the same ids, over the same connection', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  const ids = [a.stats.peer, b.stats.peer];
  world.server.kill();
  await world.clock.until(() => a.stats.signaling === 'unreachable' && b.stats.signaling === 'unreachable');
  await world.clock.advance(7000);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  world.server.revive();
  await world.clock.until(() => a.stats.signaling === 'joined' && b.stats.signaling === 'joined', 10_000);
  await world.clock.advance(5000);
  assert.deepEqual([a.stats.peer, b.stats.peer], ids);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  assert.equal(a.peerEvents('connected'), 1);
  assert.equal(a.peerEvents('gone'), 0);
  assert.deepEqual(a.warnings.length, 1);
});

test('after the server came back a newcomer finds all peers again', async () => {
  const world = new World();
  const a = world.peer('A');
  await world.connected([a]);
  world.server.kill();
  await world.clock.advance(3000);
  world.server.revive();
  await world.clock.until(() => a.stats.signaling === 'joined');
  await world.connected([a, world.peer('B')]);
});

test('a swarm that is entered while the server is dead is exchanged between neighbours, at once', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 500_000);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  await a.get(lesson, { swarmName: 'new video' });
  world.server.kill();
  world.origin.reachable = false;
  await world.clock.advance(1000);
  const got = await b.get(lesson, { swarmName: 'new video' });
  assert.equal(got.source, 'peers');
  assert.deepEqual(got.body, lesson.body);
  assert.equal(world.origin.asked('B').length, 0);
});

test('two peers that offer at the same moment end with one connection', async () => {
  for (const seed of [1, 2, 3, 4]) {
    const world = new World(seed);
    world.server.directoryDelay = 10;
    const [a, b] = [world.peer('A'), world.peer('B')];
    await world.connected([a, b]);
    assert.deepEqual([world.said('A offers').length, world.said('B offers').length], [1, 1], `seed ${seed}`);
    await world.clock.advance(15_000);
    assert.deepEqual([a.stats.peers, b.stats.peers, world.network.openLinks('A', 'B')], [1, 1, 1], `seed ${seed}`);
    assert.deepEqual([a.peerEvents('gone'), b.peerEvents('gone')], [0, 0], `seed ${seed}`);
    assert.deepEqual([world.said('A offers').length, world.said('B offers').length], [1, 1], `seed ${seed}`);
  }
});

for (const [leaver, stayer] of [
  ['A', 'B'],
  ['B', 'A'],
] as const) {
  test(`a neighbour that says goodbye is gone at once and is not called back (${leaver} leaves)`, async () => {
    const world = new World();
    const peers = { A: world.peer('A'), B: world.peer('B') };
    await world.connected([peers.A, peers.B]);
    const offers = world.said('offers').length;
    peers[leaver].engine.leave();
    await world.clock.advance(20);
    assert.equal(world.said(`${leaver}>${stayer} bye`).length, 1);
    assert.equal(peers[stayer].stats.peers, 0);
    await world.clock.advance(20_000);
    assert.equal(world.said('offers').length, offers);
    assert.equal(peers[leaver].stats.signaling, 'off');
  });
}

test('who leaves is told of no failure, and who shares again is in the same swarms again', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  a.engine.join('video' as SwarmId);
  await world.connected([a, b]);
  a.engine.leave();
  await world.clock.advance(1000);
  assert.equal(world.said('A post', 'warning').length, 0);
  assert.equal(a.stats.signaling, 'off');
  a.engine.share();
  await world.connected([a, b]);
  const lesson = await world.asset('lesson.ts', 100_000);
  await b.get(lesson);
  await world.clock.advance(100);
  assert.equal((await a.get(lesson)).source, 'peers');
});

test('of many swarms the one not used for longest is left for another; what it holds is offered in the others still', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 100_000);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  for (let i = 0; i < MAX_SWARMS + 4; i++) a.engine.join(`video ${i}` as SwarmId);
  await world.clock.advance(1000);
  await a.get(lesson, { swarm: `video ${MAX_SWARMS + 3}` as SwarmId });
  await world.clock.advance(100);
  assert.equal((await b.get(lesson, { swarm: `video ${MAX_SWARMS + 3}` as SwarmId })).source, 'peers');
});

test('after leave() everything comes from the origin, without a wait', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  await a.get(lesson);
  b.engine.leave();
  const got = await b.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took < 250, `${got.took} ms`);
  await world.clock.advance(10_000);
  assert.deepEqual([a.stats.peers, b.stats.peers, b.stats.peer], [0, 0, b.stats.peer]);
});

test('a load under way when the peer leaves goes on from the origin', async () => {
  const world = new World();
  world.network.line = { latency: 5, bytesPerMillisecond: 500, maxMessageSize: 65_536 };
  const lesson = await world.asset('lesson.ts', 2_000_000);
  const a = world.peer('A');
  await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const asking = b.ask(lesson);
  await world.clock.until(() => b.stats.bytes.peers > 500_000);
  b.engine.leave();
  await world.clock.until(() => asking.answer !== null);
  assert.ok(asking.answer?.type === 'loaded');
  assert.equal(asking.answer.source, 'mixed');
});

test('a connection that breaks is made again by who offered it', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  world.network.close('A', 'B');
  await world.clock.until(() => a.stats.peers === 0);
  await world.clock.until(() => a.stats.peers === 1 && b.stats.peers === 1, 2000);
});

test('a peer that the server no longer knows is given up at once, so that nobody waits for it', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const a = world.peer('A');
  await world.connected([a]);
  const b = world.peer('B');
  await world.clock.until(() => b.stats.signaling === 'joined');
  a.die();
  const got = await b.get(lesson);
  assert.ok(got.took < 40 + 150 + 100, `${got.took} ms`);
  const offers = world.said('B mesh: failed').length;
  await world.clock.advance(30_000);
  assert.equal(world.said('B mesh: failed').length, offers, 'it is not offered again');
});

test('signals of unknown peers and for unknown connections change nothing', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  const stranger = world.rawPeer('S', { swarms: ['elsewhere'] });
  await world.clock.until(() => stranger.peer !== null);
  const to = b.stats.peer!;
  for (const signal of [
    { kind: 'answer', connection: 1, sdp: 'x' },
    { kind: 'candidate', connection: 2, candidate: 'x', mid: null, line: null },
  ] as const)
    await Promise.all([stranger.signaling.signal({ to, signal }), world.clock.advance(50)]);
  b.engine.connection({ type: 'connection', connection: 99, state: 'closed' });
  b.engine.connection({ type: 'connection', connection: 99, state: 'connected', maxMessageSize: 1 });
  b.engine.signal({
    type: 'signal',
    peer: randomHex(world.random, 16) as PeerId,
    signal: { kind: 'answer', connection: 3, sdp: 'x' },
  });
  await world.clock.advance(100);
  assert.deepEqual([b.stats.peers, b.stats.banned], [1, 0]);
});

test('a channel that nobody expects is closed', async () => {
  const world = new World();
  const a = world.peer('A');
  await world.connected([a]);
  let closed = 0;
  const channel = {
    bufferedAmount: 0,
    send: () => undefined,
    close: () => {
      closed++;
    },
    listen: () => assert.fail('not listened to'),
  };
  a.engine.channel(12, 'a'.repeat(32) as PeerId, channel);
  assert.equal(closed, 1);
});

test('an attempt that does not open in 10 s is tried three times more from either side, and no more', async () => {
  const world = new World();
  world.network.opens = () => false;
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.clock.until(() => a.stats.signaling === 'joined' && b.stats.signaling === 'joined');
  await world.clock.advance(120_000);
  const tries = Math.max(world.said('A mesh: failed').length, world.said('B mesh: failed').length);
  // The older peer asks for names when it finds itself alone, and so learns of the other.
  assert.equal(tries, 8);
});

test('statistics follow a change within 200 ms, not each one by itself', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 2_000_000);
  const a = world.peer('A');
  await a.get(lesson);
  await world.clock.advance(200);
  const stats = a.posts.filter((post) => post.type === 'stats');
  assert.equal(stats.at(-1)?.stats.bytes.origin, 2_000_000);
  assert.ok(stats.length <= Math.ceil(world.clock.now() / 200), `${stats.length} in ${world.clock.now()} ms`);
});

const VIDEO = 'video' as SwarmId;

test('a page with a token shows it with each join, and one without is told, and plays on from the origin without a wait', async () => {
  const world = new World();
  world.server.opens = (token) => token === 'right';
  const [a, b, c] = [world.peer('A'), world.peer('B'), world.peer('C')];
  for (const peer of [a, b]) peer.engine.showToken('right');
  c.engine.showToken('wrong');
  await world.connected([a, b]);
  await world.clock.until(() => c.warnings.length > 0);
  assert.deepEqual(
    c.warnings.map(({ code }) => code),
    ['unauthorized'],
  );
  assert.equal(c.stats.signaling, 'unreachable');
  const lesson = await world.asset('lesson.ts', 100_000);
  const from = world.clock.now();
  assert.equal((await c.get(lesson)).source, 'origin');
  assert.ok(world.clock.now() - from < 300, 'nothing was waited for');
  const asked = (): number => world.server.tokens.filter((token) => token === 'wrong').length;
  assert.equal(asked(), 1);
  await world.clock.advance(120_000);
  assert.equal(asked(), 1, 'it does not ask again with the same token');
  assert.equal(c.warnings.length, 1);
});

test('another token is shown at once, by who was turned away and by who was let in', async () => {
  const world = new World();
  world.server.opens = (token) => token === 'right' || token === 'newer';
  const [a, b] = [world.peer('A'), world.peer('B')];
  a.engine.showToken('right');
  b.engine.showToken('expired');
  await world.clock.until(() => a.stats.signaling === 'joined' && b.warnings.length > 0);
  b.engine.showToken('right');
  await world.connected([a, b]);
  a.engine.showToken('newer');
  a.engine.showToken('newer'); // says nothing new
  await world.clock.advance(1000);
  assert.deepEqual(world.server.tokens.filter((token) => token === 'newer').length, 1);
  assert.deepEqual([a.stats.peers, b.stats.peers, a.peerEvents('gone')], [1, 1, 0]);
});

test('who was turned away and leaves is not brought back by a token', async () => {
  const world = new World();
  world.server.opens = (token) => token === 'right';
  const a = world.peer('A');
  await world.clock.until(() => a.warnings.length > 0);
  a.engine.leave();
  a.engine.showToken('right');
  await world.clock.advance(10_000);
  assert.equal(a.stats.signaling, 'off');
  a.engine.share();
  await world.connected([a]);
});

test('a swarm that the token does not open costs no wait, and the others go on; a token that opens it does', async () => {
  const world = new World();
  world.server.opens = (token, swarm) => token === 'all' || swarm !== VIDEO;
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  a.engine.join(VIDEO);
  await world.clock.until(() => a.warnings.length > 0);
  assert.deepEqual([a.stats.signaling, a.warnings[0]?.code], ['joined', 'unauthorized']);
  a.engine.showToken('all');
  b.engine.showToken('all');
  b.engine.join(VIDEO);
  await world.clock.advance(1000);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  assert.equal(a.warnings.length + b.warnings.length, 1);
});

test('who asks too fast stays where it is, is no news to the page, and asks again when it may', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  b.engine.join(VIDEO);
  await world.connected([a, b]);
  world.server.isTooFast = true;
  const before = world.server.tokens.length;
  a.engine.join(VIDEO);
  await world.clock.until(() => world.server.tokens.length > before);
  await world.clock.advance(500);
  assert.deepEqual([a.stats.signaling, a.stats.peers, a.warnings.length], ['joined', 1, 0]);
  world.server.isTooFast = false;
  await world.clock.advance(3000);
  assert.equal(world.server.tokens.length, before + 2);
  assert.deepEqual([a.stats.signaling, a.warnings.length], ['joined', 0]);
});

test('a token that opens fewer swarms shuts the others, and leaves the mesh alone', async () => {
  const world = new World();
  world.server.opens = (token, swarm) => token === 'all' || swarm !== VIDEO;
  const [a, b] = [world.peer('A'), world.peer('B')];
  for (const peer of [a, b]) {
    peer.engine.showToken('all');
    peer.engine.join(VIDEO);
  }
  await world.connected([a, b]);
  a.engine.showToken('less');
  await world.clock.advance(1000);
  assert.deepEqual([a.stats.signaling, a.stats.peers, a.warnings.length], ['joined', 1, 0]);
});
