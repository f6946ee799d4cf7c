import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CLAIMS_FOR_MS,
  HEAR_MS,
  MEETINGS_PER_CLAIM,
  MIN_TIMER_MS,
  SUCCESSION_STEP_MS,
} from '../../../mesh/core/limits.ts';
import { MAX_CLAIMS } from '../../../protocol/limits.ts';
import { swarmOfName } from '../../../protocol/swarm.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf, type Asking, type WorldPeer } from '../world/world-peer.ts';
import { Classroom, leavesUrl } from './classroom.ts';

/** From the crosser to the last follower: a few hops over the LAN. */
const SPREAD_MS = 60;
/** To the server and back. */
const CLAIM_MS = 40;

function assertSame(askings: readonly Asking[], { body }: TestAsset): void {
  for (const asking of askings) assert.deepEqual(gotOf(asking).body, body);
}

const slowest = (askings: readonly Asking[]): number => Math.max(...askings.map((asking) => gotOf(asking).took));

for (const count of [2, 6, 13])
  for (const claims of [true, false])
    test(`${count} peers of a site that ask for an asset at once cross it once (${claims ? 'the server says who' : 'the keeper does'})`, async () => {
      const { room, peers, lesson } = await Classroom.seated(count, { claims });
      const askings = await room.ask([...peers].reverse(), lesson);
      await room.answered(askings);
      assert.equal(room.crossed(lesson).length, 1);
      assert.equal(room.world.origin.requests.filter(({ url }) => url === leavesUrl(lesson)).length, 1);
      assertSame(askings, lesson);
      assert.ok(slowest(askings) <= room.alone(lesson) + CLAIM_MS + SPREAD_MS, `${slowest(askings)} ms`);
    });

test('block hashes are asked for where an asset says that they are, if the manifest is not to say', async () => {
  const { room, peers, lesson } = await Classroom.seated(2);
  const elsewhere = 'https://signal.example/leaves';
  room.world.origin.put(leavesUrl(lesson), new Uint8Array(0), { status: 404 });
  room.world.origin.put(elsewhere, lesson.leaves);
  const named = { ...lesson, name: { ...lesson.name, leavesUrl: elsewhere } };
  const askings = await room.ask([...peers].reverse(), named);
  await room.answered(askings);
  const asked = room.world.origin.requests.map(({ url }) => url).filter((url) => /leaves/.test(url));
  assert.deepEqual(asked, [elsewhere]);
  assert.equal(room.crossed(lesson).length, 1);
  assertSame(askings, lesson);
  assert.ok(slowest(askings) <= room.alone(lesson) + CLAIM_MS + SPREAD_MS, `${slowest(askings)} ms`);
});

for (const count of [2, 6, 13])
  test(`${count} peers of a site that ask for an asset shortly after each other cross it once`, async () => {
    for (const claims of [true, false]) {
      const { room, peers, lesson } = await Classroom.seated(count, { claims });
      const askings = await room.ask([...peers].reverse(), lesson, { deadline: 10_000 }, 40);
      await room.answered(askings);
      assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
      assertSame(askings, lesson);
    }
  });

test('peers that open the page at the same moment cross the first asset once, before their channels are open', async () => {
  for (const count of [2, 6, 13]) {
    const room = new Classroom();
    const lesson = await room.asset('lesson.ts', 1_000_000);
    const peers = Array.from({ length: count }, (_, i) => room.peer(`P${i}`));
    const askings = await room.ask(peers, lesson);
    await room.answered(askings);
    assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
    // Joining takes 80 ms, and the first channels as long again and more.
    assert.ok(slowest(askings) <= room.alone(lesson) + 300 + SPREAD_MS, `${slowest(askings)} ms`);
  }
});

/** Claims that a server hears of from now on. */
function countClaims({ world: { server } }: Classroom): { of: number } {
  const claims = { of: 0 };
  const claim = server.claim.bind(server);
  server.claim = (...all) => (claims.of++, claim(...all));
  return claims;
}

test('each asset of a lesson is crossed once, also those after the claims', async () => {
  const { room, peers } = await Classroom.seated(6);
  const { clock } = room.world;
  const claims = countClaims(room);
  const crossedOnce = async (i: number): Promise<void> => {
    const segment = await room.asset(`${i}.ts`, 200_000 + i);
    const askings = await room.ask(peers, segment, { deadline: 8000 }, i % 3 === 0 ? 0 : 15);
    await room.answered(askings);
    assert.deepEqual([i, room.crossed(segment).length], [i, 1]);
    await clock.advance(250);
  };
  let segments = 0;
  while (clock.now() < CLAIMS_FOR_MS + 1000) await crossedOnce(segments++);
  // All ask for all, and the server remembers: no more questions than that.
  assert.ok(claims.of > 0 && claims.of <= segments * peers.length, `${claims.of} claims`);
  claims.of = 0;
  for (let i = 0; i < 4; i++) await crossedOnce(segments + i);
  assert.equal(claims.of, 0);
});

test('the server is not asked about more than so many assets, however fast they come', async () => {
  const { room, peers } = await Classroom.seated(2);
  const claims = countClaims(room);
  for (let i = 0; i < MAX_CLAIMS + 4; i++) {
    const segment = await room.asset(`${i}.ts`, 20_000 + i);
    await room.answered(await room.ask(peers.slice(1), segment, { deadline: 8000 }));
  }
  assert.ok(room.world.clock.now() < CLAIMS_FOR_MS, 'all of them are in the time of claims');
  assert.equal(claims.of, MAX_CLAIMS);
});

test('one who still asks the server does not cross beside a keeper that does no more, and that it does not see', async () => {
  const room = new Classroom();
  const { clock, network } = room.world;
  network.opens = (one, other) => Math.abs(Number(one.slice(1)) - Number(other.slice(1))) === 1;
  const peers = await room.peers(2);
  await clock.advance(2000);
  peers.push(room.peer('P2'));
  await clock.advance(CLAIMS_FOR_MS - clock.now() + 1000);
  const claims = countClaims(room);
  const lesson = await room.asset('lesson.ts', 1_000_000);
  const askings = await room.ask(peers, lesson, { deadline: 8000 });
  await room.answered(askings);
  assert.equal(claims.of, 1);
  assert.deepEqual(room.crossed(lesson), ['P0']);
  assertSame(askings, lesson);
});

test('who asks later than others is told of what the keeper has waiting, and waits for it as they do', async () => {
  const { room, peers } = await Classroom.seated(4, { claims: false });
  const { clock } = room.world;
  const [lesson, ...before] = await Promise.all([0, 1, 2].map((i) => room.asset(`${i}.ts`, 1_000_000 + i)));
  expectAll(peers[0]!, [...before, lesson!]);
  const askings = before.map((asset) => peers[1]!.ask(asset, { deadline: 5000 })); // as many as a keeper brings at a time
  askings.push(peers[1]!.ask(lesson!, { deadline: 20_000 }));
  await clock.advance(500);
  assert.deepEqual(room.crossed(lesson!), []);
  askings.push(peers[2]!.ask(lesson!, { deadline: 20_000 }), peers[3]!.ask(lesson!, { deadline: 20_000 }));
  await room.answered(askings);
  assert.deepEqual(room.crossed(lesson!), ['P0']);
});

/** Two who are no neighbours in a large class; one brings the lesson, and the other asks for it. */
async function apartInClass(room: Classroom): Promise<{
  readonly crosser: WorldPeer;
  readonly apart: WorldPeer;
  readonly lesson: TestAsset;
  readonly askings: readonly Asking[];
}> {
  const { clock, network } = room.world;
  const [crosser, ...others] = (await room.peers(24)) as [WorldPeer, ...WorldPeer[]];
  await clock.advance(1500);
  const apart = others.find(({ name }) => network.openLinks(name, crosser.name) === 0)!;
  const lesson = await room.asset('lesson.ts', 1_000_000);
  const first = crosser.ask(lesson, { deadline: 8000 });
  await clock.advance(200);
  return { crosser, apart, lesson, askings: [first, apart.ask(lesson, { deadline: 8000 })] };
}

test('who hears nothing of a crosser that the server named connects to it', async () => {
  const room = new Classroom();
  const { network } = room.world;
  const { crosser, apart, lesson, askings } = await apartInClass(room);
  await room.answered(askings);
  assert.equal(network.openLinks(apart.name, crosser.name), 1);
  assert.deepEqual(room.crossed(lesson), [crosser.name]);
  assertSame(askings, lesson);
});

test('who has left connects to nobody', async () => {
  const room = new Classroom();
  const { clock, network } = room.world;
  const { apart } = await apartInClass(room);
  await clock.advance(CLAIM_MS + 50);
  let dialed = 0;
  const create = network.create.bind(network);
  network.create = (from) => (dialed++, create(from));
  apart.engine.leave();
  await clock.advance(HEAR_MS);
  assert.equal(dialed, 0);
});

test('of those whom the server named the same crosser only the first connect to it, and none that hears of it', async () => {
  const room = new Classroom();
  const { clock, network, server } = room.world;
  const raw = room.world.rawPeer('R');
  const peers = await room.peers(24);
  await clock.advance(1500);
  const offers: PeerId[] = [];
  const relay = server.relay.bind(server);
  server.relay = (client, request) => {
    if (request.signal.kind === 'offer') offers.push(request.to);
    return relay(client, request);
  };
  const heard = await room.asset('heard.ts', 1_000_000);
  await room.answered(await room.ask([...peers].reverse(), heard, { deadline: 8000 }));
  assert.deepEqual(offers, []);
  const silent = await room.asset('silent.ts', 1_000_001);
  void raw.signaling.claim({ swarm: swarmOfName(WEB_ORIGIN), digest: silent.name.digest });
  await clock.advance(CLAIM_MS);
  const apart = peers.filter(({ name }) => network.openLinks(name, 'R') === 0);
  assert.ok(apart.length > 2 * MEETINGS_PER_CLAIM, `${apart.length}`);
  const askings = await room.ask(apart, silent, { deadline: 8000 });
  await clock.advance(HEAR_MS + CLAIM_MS + 100);
  assert.deepEqual(offers, Array(MEETINGS_PER_CLAIM).fill(raw.peer));
  await room.answered(askings);
  // a crosser that claims and does nothing may cost a second crossing
  assert.ok(room.crossed(silent).length <= 2);
});

test('one who still asks the server asks a keeper that does no more as well', async () => {
  const { room, peers, lesson } = await Classroom.seated(2);
  const { clock } = room.world;
  await clock.advance(CLAIMS_FOR_MS - clock.now());
  const newcomer = room.peer('P2');
  await room.world.connected([...peers, newcomer]);
  await clock.advance(1000);
  expectAll(peers[0]!, [lesson]);
  await room.answered([newcomer.ask(lesson, { deadline: 8000 })]);
  assert.deepEqual(room.crossed(lesson), ['P0']);
});

test('one that asks the server for more names does not ask it anew who crosses', async () => {
  const room = new Classroom();
  const { clock, network, server } = room.world;
  network.opens = (one, other) => Number(one.slice(1)) + Number(other.slice(1)) === 1;
  const peers = await room.peers(6);
  let joins = 0; // Too few neighbours: all ask for more.
  const join = server.join.bind(server);
  server.join = (...all) => (joins++, join(...all));
  await clock.until(() => clock.now() > CLAIMS_FOR_MS && joins > 0, 60_000);
  await clock.advance(1000);
  const claims = countClaims(room);
  const lesson = await room.asset('lesson.ts', 1_000_000);
  await room.answered(await room.ask(peers.slice(0, 2), lesson, { deadline: 8000 }));
  assert.equal(claims.of, 0);
});

test('when the keeper does not know the URL the next in line crosses, and after that at once', async () => {
  const { room, peers, lesson } = await Classroom.seated(6, { claims: false });
  const others = peers.slice(1);
  const askings = await room.ask(others, lesson);
  await room.answered(askings);
  assert.deepEqual(room.crossed(lesson), ['P1']);
  assert.ok(slowest(askings) <= room.alone(lesson) + HEAR_MS + SPREAD_MS, `${slowest(askings)} ms`);
  const second = await room.asset('second.ts', 1_000_001);
  const later = await room.ask(others, second);
  await room.answered(later);
  assert.deepEqual(room.crossed(second), ['P1']);
  assert.ok(slowest(later) <= room.alone(second) + SPREAD_MS, `${slowest(later)} ms`);
});

test('a keeper whose player is paused brings what another wants, for its window tells the URL', async () => {
  const { room, peers, lesson } = await Classroom.seated(6, { claims: false });
  expectAll(peers[0]!, [lesson]);
  const askings = await room.ask(peers.slice(1), lesson);
  await room.answered(askings);
  assert.deepEqual(room.crossed(lesson), ['P0']);
  assert.ok(slowest(askings) <= room.alone(lesson) + CLAIM_MS + SPREAD_MS, `${slowest(askings)} ms`);
});

test('a keeper that is asked for many brings all, two at a time, the most urgent first', async () => {
  const { room, peers } = await Classroom.seated(3, { claims: false });
  const segments = await Promise.all([0, 1, 2, 3, 4].map((i) => room.asset(`${i}.ts`, 400_000 + i)));
  expectAll(peers[0]!, segments);
  const askings: Asking[] = [];
  for (const [i, segment] of segments.entries()) askings.push(peers[1]!.ask(segment, { deadline: 20_000 - 1000 * i }));
  await room.answered(askings);
  assert.deepEqual(new Set(segments.flatMap((segment) => room.crossed(segment))), new Set(['P0']));
  const order = room.world.origin.requests.filter(({ url }) => segments.some((segment) => segment.url === url));
  assert.deepEqual(
    order.map(({ url }) => segments.findIndex((segment) => segment.url === url)).slice(2),
    [4, 3, 2],
    'the first two went at once',
  );
});

test('where neither keeper nor the next in line are there, the rest cross once, and in time', async () => {
  const { room, peers, lesson } = await Classroom.seated(13, { claims: false });
  const askings = await room.ask(peers.slice(3), lesson);
  await room.answered(askings);
  assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
  const bound = HEAR_MS + 2 * SUCCESSION_STEP_MS + MIN_TIMER_MS + room.alone(lesson) + SPREAD_MS;
  assert.ok(slowest(askings) <= bound, `${slowest(askings)} ms`);
});

test('a peer that heard of a newcomer over its channel alone does not take itself to be alone', async () => {
  const room = new Classroom();
  const peers = await room.peers(2);
  // Connected, but the server's next news of the swarm are still to come.
  await room.world.connected(peers);
  const lesson = await room.asset('lesson.ts', 1_000_000);
  const askings = await room.ask([...peers].reverse(), lesson, {}, 30);
  await room.answered(askings);
  assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
});

test('a peer that takes itself to be alone steps back when the server says that a newcomer was first to claim', async () => {
  for (const apart of [10, 30, 60, 100])
    for (const gap of [0, 50]) {
      const room = new Classroom();
      const lesson = await room.asset('lesson.ts', 1_000_000);
      const first = room.peer('P0');
      await room.world.clock.advance(apart);
      const second = room.peer('P1');
      await room.world.clock.advance(gap);
      const askings = [second.ask(lesson)];
      await room.world.clock.advance(25);
      askings.push(first.ask(lesson));
      await room.answered(askings);
      assert.ok(room.copies(lesson) <= 1.1, `${apart}, ${gap}: ${room.copies(lesson)}`);
      assert.ok(slowest(askings) <= room.alone(lesson) + 300 + SPREAD_MS, `${slowest(askings)} ms`);
      assertSame(askings, lesson);
    }
});

test('who joins while an asset is crossed is handed it too', async () => {
  const { room, peers } = await Classroom.seated(2);
  const lesson = await room.asset('long.ts', 2_000_000);
  const askings = await room.ask(peers, lesson);
  await room.world.clock.advance(500);
  const late = room.peer('Late');
  const last = late.ask(lesson);
  await room.answered([...askings, last]);
  assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
  assert.equal(gotOf(last).source, 'peers');
});

test('with the server gone later assets are still crossed once, also when the keeper goes', async () => {
  const { room, peers } = await Classroom.seated(6);
  room.world.server.kill();
  await room.world.clock.advance(1000);
  const cross = async (path: string, present: readonly WorldPeer[], apart: number): Promise<void> => {
    const segment = await room.asset(path, 500_000 + path.length);
    const askings = await room.ask(present, segment, {}, apart);
    await room.answered(askings);
    assert.equal(room.crossed(segment).length, 1, room.crossed(segment).join());
    const bound = room.alone(segment) + HEAR_MS + SPREAD_MS;
    assert.ok(slowest(askings) <= bound, `${slowest(askings)} ms`);
  };
  await cross('1.ts', peers, 0);
  await cross('22.ts', peers, 30);
  peers[0]!.die();
  await cross('333.ts', peers.slice(1), 0);
});

test('who crosses what another of the site has by now takes the rest from there', async () => {
  const { room, peers, lesson } = await Classroom.seated(2, { lineRate: 500, claims: false });
  // What they say to each other at first is lost, so both cross.
  room.world.network.takes = () => false;
  const askings = await room.ask(peers, lesson, {}, 500);
  room.world.network.takes = null;
  await room.answered(askings);
  assert.equal(room.crossed(lesson).length, 2);
  assert.ok(room.copies(lesson) < 1.85, `${room.copies(lesson)}`);
  assertSame(askings, lesson);
});

function expectAll(peer: WorldPeer, assets: readonly TestAsset[]): void {
  peer.engine.expect({
    type: 'window',
    player: 1,
    swarm: null,
    assets: assets.map(({ url, name }) => ({ url, name, within: 10_000 })),
  });
}
