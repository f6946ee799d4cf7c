/** TURN credentials that expire, and connections through TURN servers alone. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from '../world/world.ts';

const TURN = 'turn:turn.test';

/** A world whose server gives TURN credentials that last so many seconds; the name says until when, in ms on the world's clock. */
function expiring(ttl: number): World {
  const world = new World();
  world.server.ice = () => ({
    iceServers: [{ urls: [TURN], username: `until ${world.clock.now() + 1000 * ttl}`, credential: 'x' }],
    iceTTL: ttl,
  });
  return world;
}

/** Counts the answers to joins from now on. */
function countJoins(world: World): () => number {
  const { ice } = world.server;
  let joins = 0;
  world.server.ice = () => {
    joins++;
    return ice();
  };
  return () => joins;
}

/** Until when the credentials last with which this peer offered or answered, ms. */
const credentialsOf = (world: World, name: string): number[] =>
  [...world.said(`${name} offers`), ...world.said(`${name} answers`)].map((line) =>
    Number(/as until (\d+)/.exec(line)?.[1] ?? NaN),
  );

test('a page that is open for long begins no connection with old TURN credentials', async () => {
  const world = expiring(600);
  const a = world.peer('A');
  await world.connected([a]);
  for (let i = 0; i < 3; i++) {
    await world.clock.advance(1_500_000);
    const before = credentialsOf(world, 'A').length;
    const b = world.peer(`B${i}`);
    await world.clock.until(() => b.stats.peers >= 1);
    const used = credentialsOf(world, 'A').slice(before);
    assert.ok(
      used.length > 0 && used.every((until) => until >= world.clock.now() + 250_000),
      `${used.join()} at ${world.clock.now()}`,
    );
  }
});

test('credentials are asked for anew at half their time, whoever else is there, and hurt no connection', async () => {
  const world = expiring(600);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  await world.clock.advance(100_000); // whoever is named anew has been
  const joins = countJoins(world);
  await world.clock.advance(3_000_000);
  assert.deepEqual([a.stats.peers, b.stats.peers], [1, 1]);
  assert.equal(a.peerEvents('connected') + b.peerEvents('connected'), 2);
  // also asks for more names, each minute or two: that gives new ones, too
  assert.ok(joins() >= 2 * 9, `${joins()}`);
});

test('where they last for ever nobody asks', async () => {
  const world = new World();
  world.server.ice = () => ({ iceServers: [{ urls: [TURN], username: 'u', credential: 'x' }] });
  const a = world.peer('A');
  await world.connected([a]);
  await world.clock.advance(100_000);
  const joins = countJoins(world);
  await world.clock.advance(3_000_000);
  assert.equal(joins(), 0);
});

for (const [ttl, most] of [
  [0, 1],
  [1, 6001], // 2 a second are what its operator asked for
  [Number.MAX_SAFE_INTEGER, 1],
] as const)
  test(`a server that says they last ${ttl} s is not flooded`, async () => {
    const world = expiring(ttl);
    const a = world.peer('A');
    const joins = countJoins(world);
    await world.connected([a]);
    await world.clock.advance(3_000_000);
    assert.ok(joins() >= 1 && joins() <= most, `${joins()} joins`);
  });

test('who was cut off from the server while they ran out has new ones before it begins a connection', async () => {
  const world = expiring(600);
  const a = world.peer('A');
  await world.connected([a]);
  world.server.kill();
  await world.clock.advance(2_000_000);
  world.server.revive();
  await world.clock.until(() => a.stats.signaling === 'joined');
  const b = world.peer('B');
  await world.connected([a, b]);
  for (const until of [...credentialsOf(world, 'A'), ...credentialsOf(world, 'B')])
    assert.ok(until > world.clock.now());
});

test('who wants connections through TURN servers alone has them where there is one', async () => {
  const world = expiring(600);
  const [a, b] = [world.peer('A', { relayOnly: true }), world.peer('B')];
  await world.connected([a, b]);
  assert.equal(a.warnings.length, 0);
});

test('where there is none it leaves, says so once, and has all from the origin without a wait', async () => {
  const world = new World();
  world.server.ice = () => ({ iceServers: [{ urls: 'stun:turn.test' }] });
  const lesson = await world.asset('lesson.ts', 300_000);
  const b = world.peer('B');
  await world.connected([b]);
  await b.get(lesson);
  const a = world.peer('A', { relayOnly: true });
  await world.clock.until(() => a.warnings.length > 0);
  const got = await a.get(lesson);
  assert.equal(got.source, 'origin');
  assert.ok(got.took < 250, `${got.took} ms`);
  await world.clock.advance(100_000);
  assert.match(a.warnings[0]?.message ?? '', /ice-transport="relay" without --turn/);
  assert.deepEqual(
    a.warnings.map(({ code }) => code),
    ['signaling-unreachable'],
  );
  assert.equal(a.stats.signaling, 'off');
  assert.deepEqual(credentialsOf(world, 'A'), [], 'it offered and answered nothing');
});
