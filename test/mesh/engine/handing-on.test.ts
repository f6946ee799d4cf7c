/** An asset is handed on while it comes: what of it, to how many, and what if it turns out to be nothing to hand on. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FOLLOWERS_PER_ASSET, FOLLOWS_FROM_NEIGHBOUR, LEAVES_WAIT_MS } from '../../../mesh/core/limits.ts';
import { BLOCK_BYTES, MAX_OPEN_FRAMES } from '../../../protocol/limits.ts';
import type { PeerMessage } from '../../../protocol/peer-message.ts';
import type { RawPeer } from '../world/raw-peer.ts';
import { testBody, type TestAsset } from '../world/test-asset.ts';
import { gotOf, type Asking, type WorldPeer } from '../world/world-peer.ts';
import { Classroom, leavesUrl } from './classroom.ts';

const codes = ({ warnings }: WorldPeer): string[] => warnings.map(({ code }) => code);

/** Content that went from peer to peer. */
const handed = (room: Classroom): string[] =>
  room.world.log.filter((line) => / \w+>\w+ block /.test(line)).map((line) => line.split(' ')[1]!);

/** A raw peer beside an engine that crosses a long asset: it can ask for it while it comes. */
async function beside(lineRate = 200): Promise<{
  room: Classroom;
  raw: RawPeer;
  peer: WorldPeer;
  lesson: TestAsset;
  asking: Asking;
  follow: (request: number, more?: Partial<Extract<PeerMessage, { type: 'request' }>>) => void;
}> {
  const room = new Classroom(lineRate);
  const lesson = await room.asset('lesson.ts', 16 * BLOCK_BYTES);
  const peer = room.peer('P');
  await room.world.clock.advance(100);
  const raw = room.world.rawPeer('R');
  await room.settled([peer], true, 1);
  const asking = peer.ask(lesson);
  await room.world.clock.until(() => raw.heard.some(({ type }) => type === 'fetching'));
  const follow: Awaited<ReturnType<typeof beside>>['follow'] = (request, more = {}) =>
    raw.lines[0]!.send({
      type: 'request',
      request,
      digest: lesson.name.digest,
      first: 0,
      count: 16,
      leaves: true,
      ...more,
    });
  return { room, raw, peer, lesson, asking, follow };
}

const answers = ({ heard }: RawPeer, request: number): PeerMessage[] =>
  heard.filter((message) => 'request' in message && message.request === request && message.type !== 'ping');

const refusals = (raw: RawPeer): [number, string][] =>
  raw.heard.flatMap((message) => (message.type === 'refuse' ? [[message.request, message.reason]] : []));

test('a follower gets the block hashes first and each block as soon as it has come over the line', async () => {
  const { room, raw, lesson, follow } = await beside();
  follow(1);
  await room.world.clock.advance(1500);
  const [leaves, ...blocks] = answers(raw, 1);
  assert.deepEqual(leaves?.type === 'leaves' && leaves.untrustedLeaves, lesson.leaves);
  const carried = Math.floor(room.world.origin.sentTo('P') / BLOCK_BYTES);
  assert.ok(blocks.length >= carried - 2 && blocks.length <= carried && carried < 8, `${blocks.length} of ${carried}`);
  await room.world.clock.until(() => answers(raw, 1).length === 17);
  const bodies = answers(raw, 1).flatMap((message) => (message.type === 'block' ? [message.untrustedBlock] : []));
  assert.deepEqual(Buffer.concat(bodies), Buffer.from(lesson.body));
});

test('a follower may begin in the middle, and gets what is there already at once', async () => {
  const { room, raw, follow } = await beside();
  await room.world.clock.advance(2500);
  follow(1, { first: 2, count: 3, leaves: false });
  await room.world.clock.advance(50);
  assert.deepEqual(
    answers(raw, 1).map((message) => message.type === 'block' && message.index),
    [2, 3, 4],
  );
});

test('a follower that asks for too much at once is refused as busy, and a place that gets free is given away at once', async () => {
  const { room, raw, follow } = await beside();
  for (let request = 1; request <= FOLLOWS_FROM_NEIGHBOUR + 1; request++) follow(request);
  const refused = [[FOLLOWS_FROM_NEIGHBOUR + 1, 'busy']];
  await room.world.clock.advance(50);
  assert.deepEqual(refusals(raw), refused);
  raw.lines[0]!.send({ type: 'cancel', request: 1 });
  await room.world.clock.advance(20);
  follow(20);
  await room.world.clock.advance(1000);
  assert.deepEqual(refusals(raw), refused);
  assert.ok(answers(raw, 20).some(({ type }) => type === 'block'));
});

test('a peer that asks and takes back again and again takes no place from others, and is sent no more frames at a time than may be', async () => {
  const { room, raw, peer, follow } = await beside();
  const other = room.peer('Q');
  await room.world.connected([peer], 2);
  for (let request = 1; request <= 200; request += 2) {
    follow(request);
    raw.lines[0]!.send({ type: 'cancel', request });
    await room.world.clock.advance(5);
  }
  const asking = other.ask(await room.asset('lesson.ts', 16 * BLOCK_BYTES));
  await room.answered([asking]);
  assert.equal(gotOf(asking).source, 'peers');
  assert.ok(FOLLOWS_FROM_NEIGHBOUR + 1 <= MAX_OPEN_FRAMES);
});

test('what one holds and twelve want at once it hands to a few, and those hand it on while it comes to them', async () => {
  const { room, peers, lesson } = await Classroom.seated(13);
  const [holder, ...others] = peers;
  await holder!.get(lesson);
  await room.world.clock.advance(50);
  const before = holder!.stats.bytes.uploaded;
  const askings = await room.ask(others, lesson);
  await room.answered(askings);
  assert.deepEqual(room.crossed(lesson), ['P0']);
  const copies = (holder!.stats.bytes.uploaded - before) / lesson.body.length;
  assert.ok(copies <= FOLLOWERS_PER_ASSET + 1.1, `${copies} copies`);
  for (const asking of askings) assert.ok(gotOf(asking).took < 1000, `${gotOf(asking).took} ms`);
});

test('a place at a holder is free again as soon as who had it is done, gone, or asks no more', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 16 * BLOCK_BYTES);
  room.world.network.opens = (one, other) => one === 'P' || other === 'P';
  const holder = room.peer('P', { maxUpload: 4_000_000 });
  await holder.get(lesson);
  const raws = Array.from({ length: FOLLOWERS_PER_ASSET + 1 }, (_, i) => room.world.rawPeer(`R${i}`));
  await room.settled([holder], true, raws.length);
  const ask = (i: number, request: number, count = 16): void =>
    raws[i]!.lines[0]!.send({
      type: 'request',
      request,
      digest: lesson.name.digest,
      first: 0,
      count,
      leaves: true,
    });
  const last = FOLLOWERS_PER_ASSET;
  for (let i = 0; i < last; i++) ask(i, 1, i === 0 ? 1 : 16);
  await room.world.clock.advance(20);
  ask(last, 1);
  await room.world.clock.advance(20);
  assert.deepEqual(refusals(raws[last]!), [[1, 'busy']]);
  await room.world.clock.until(() => answers(raws[0]!, 1).length === 2);
  await room.world.clock.advance(20);
  for (const [request, free] of [
    [2, () => undefined],
    [3, () => raws[1]!.lines[0]!.send({ type: 'cancel', request: 1 })],
    [4, () => room.world.network.close('R2')],
  ] as const) {
    free();
    await room.world.clock.advance(20);
    ask(last, request);
    await room.world.clock.advance(20);
    raws[last]!.lines[0]!.send({ type: 'cancel', request });
    await room.world.clock.advance(20);
  }
  assert.deepEqual(refusals(raws[last]!), [[1, 'busy']]);
});

test('a request beyond the end of an asset under way is refused', async () => {
  const { room, raw, follow } = await beside();
  follow(1, { first: 15, count: 2 });
  follow(2, { first: 2 ** 32 - 1, count: 2 ** 32 - 1 });
  await room.world.clock.advance(50);
  assert.deepEqual(refusals(raw), [
    [1, 'not-held'],
    [2, 'not-held'],
  ]);
});

test('an asset that nobody wants any more, follower included, is broken off', async () => {
  const { room, raw, lesson, asking, follow } = await beside();
  follow(1);
  await room.world.clock.advance(300);
  asking.abort();
  await room.world.clock.advance(300);
  assert.deepEqual(states(room, lesson), ['under way'], 'it goes on for who follows');
  raw.lines[0]!.send({ type: 'cancel', request: 1 });
  await room.world.clock.advance(20);
  assert.deepEqual(states(room, lesson), ['aborted']);
  assert.ok(raw.heard.some(({ type }) => type === 'lost'));
});

test('an asset whose only asker is gone goes on for a follower to its end, and is kept', async () => {
  const { room, raw, peer, lesson, asking, follow } = await beside();
  follow(1);
  await room.world.clock.advance(300);
  asking.abort();
  await room.world.clock.until(() => answers(raw, 1).length === 17);
  await room.world.clock.advance(50);
  assert.equal(peer.store.has(lesson.name.digest), true);
  assert.equal((await peer.get(lesson)).source, 'store');
});

test('a follower that is gone frees its place', async () => {
  const { room, lesson, asking, follow } = await beside();
  follow(1);
  await room.world.clock.advance(300);
  room.world.network.close('R');
  asking.abort();
  await room.world.clock.advance(50);
  assert.deepEqual(states(room, lesson), ['aborted']);
});

test('an asset that the store does not keep is not announced as held, nor for ever as under way', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 4 * BLOCK_BYTES);
  const peer = room.peer('P', { storeBytes: BLOCK_BYTES });
  await room.world.clock.advance(100);
  const raw = room.world.rawPeer('R');
  await room.settled([peer], true, 1);
  await peer.get(lesson);
  await room.world.clock.advance(50);
  assert.deepEqual(
    raw.heard.filter(({ type }) => ['fetching', 'lost'].includes(type)).map(({ type }) => type),
    ['fetching', 'lost'],
  );
});

for (const claims of [true, false]) {
  test(`an origin that contradicts the digest is found out by each for itself, nothing of it is handed on, and soon (claims ${claims})`, async () => {
    for (const count of [6, 13]) {
      const { room, peers, lesson } = await Classroom.seated(count, { lineRate: 20_000, claims });
      const changed = testBody(1_000_000, 99);
      room.world.origin.put(lesson.url, changed);
      const askings = await room.ask(peers, lesson);
      await room.answered(askings);
      assert.deepEqual(handed(room), []);
      for (const [i, asking] of askings.entries()) {
        assert.deepEqual(gotOf(asking).body, changed);
        assert.deepEqual(codes(peers[i]!), ['digest-mismatch']);
        assert.ok(gotOf(asking).took < 3000, `${gotOf(asking).took} ms`);
      }
    }
  });

  test(`an origin that contradicts the digest in its last block gives nobody a splice (claims ${claims})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(4, { claims });
    const changed = lesson.body.slice();
    changed[changed.length - 1]! ^= 1;
    room.world.origin.put(lesson.url, changed);
    const askings = await room.ask(peers, lesson);
    await room.answered(askings);
    for (const [i, asking] of askings.entries()) {
      assert.deepEqual(gotOf(asking).body, changed);
      assert.equal(peers[i]!.store.has(lesson.name.digest), false);
      assert.equal(peers[i]!.stats.banned, 0);
    }
    assert.ok(handed(room).length > 0, 'what was right was handed on');
  });

  test(`who was given the first blocks of what then turns out to be something else is told, and gets that whole (claims ${claims})`, async () => {
    const { room, peers, lesson } = await Classroom.seated(2, { claims });
    const changed = lesson.body.slice();
    changed[changed.length - 1]! ^= 1;
    room.world.origin.put(lesson.url, changed);
    const askings = await room.ask(peers, lesson, { streamed: true });
    await room.world.clock.until(() => askings.every(({ answer }) => answer !== null));
    for (const [i, { answer, chunks }] of askings.entries()) {
      assert.equal(answer?.type, 'failed');
      const given = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
      assert.deepEqual(given, Buffer.from(lesson.body.subarray(0, given.length)));
      const again = peers[i]!.ask(lesson, { streamed: true });
      await room.world.clock.until(() => again.answer !== null);
      assert.deepEqual([gotOf(again).body, again.chunks.length], [changed, 0]);
    }
  });

  for (const [what, how] of [
    ['may not be shared', { shareable: false }],
    ['wants a cookie', { wantsCookie: true }],
  ] as const)
    test(`of an answer that ${what} nothing is handed on, and nobody waits for it (claims ${claims})`, async () => {
      const { room, peers, lesson } = await Classroom.seated(6, { claims, lineRate: 5000 });
      room.world.origin.put(lesson.url, lesson.body, how);
      const askings = await room.ask(peers, lesson);
      await room.answered(askings);
      assert.deepEqual(handed(room), []);
      for (const [i, asking] of askings.entries()) {
        assert.equal(gotOf(asking).shared, false);
        assert.equal(peers[i]!.store.has(lesson.name.digest), false);
        assert.ok(gotOf(asking).took < 2500, `${gotOf(asking).took} ms`);
      }
    });

  for (const [what, spoil] of [
    ['missing', (room, lesson) => room.world.origin.put(leavesUrl(lesson), new Uint8Array(0), { status: 404 })],
    ['wrong', (room, lesson) => room.world.origin.put(leavesUrl(lesson), new Uint8Array(lesson.leaves.length))],
    ['too few', (room, lesson) => room.world.origin.put(leavesUrl(lesson), lesson.leaves.slice(32))],
    ['never coming', (room, lesson, peers) => peers.forEach(({ name }) => room.hang(name, { url: leavesUrl(lesson) }))],
  ] as [string, (room: Classroom, lesson: TestAsset, peers: readonly WorldPeer[]) => void][])
    test(`block hashes that are ${what}: the asset is handed on when it is whole, and crosses once (claims ${claims})`, async () => {
      // Three seconds on the line, more than anybody is waited for who shows nothing.
      const { room, peers } = await Classroom.seated(8, { claims, lineRate: 1000 });
      const lesson = await room.asset('long.ts', 3_000_000);
      spoil(room, lesson, peers);
      const askings = await room.ask(peers, lesson);
      await room.answered(askings);
      assert.equal(room.crossed(lesson).length, 1, room.crossed(lesson).join());
      for (const asking of askings) {
        assert.deepEqual(gotOf(asking).body, lesson.body);
        assert.ok(gotOf(asking).took <= room.alone(lesson) + LEAVES_WAIT_MS, `${gotOf(asking).took} ms`);
      }
    });
}

test('without block hashes, on a line slower than anybody waits for, a second brings it too, and no crowd', async () => {
  for (const claims of [true, false]) {
    const { room, peers, lesson } = await Classroom.seated(13, { claims, lineRate: 200 });
    room.world.origin.put(leavesUrl(lesson), new Uint8Array(0), { status: 404 });
    const askings = await room.ask(peers, lesson);
    await room.answered(askings);
    assert.ok(room.copies(lesson) <= 1.5, `${room.copies(lesson)}`);
  }
});

test('without company nobody asks for the block hashes', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 300_000);
  const peer = room.peer('P');
  await room.settled([peer], true);
  await peer.get(lesson);
  assert.deepEqual(
    room.world.origin.requests.filter(({ url }) => url === leavesUrl(lesson)),
    [],
  );
});

test('who crosses with upload off announces nothing, not even that it is over', async () => {
  const room = new Classroom();
  const lesson = await room.asset('lesson.ts', 300_000, { shareable: false });
  const peer = room.peer('P', { upload: false });
  await room.world.clock.advance(100);
  const raw = room.world.rawPeer('R');
  await room.settled([peer], true, 1);
  await peer.get(lesson);
  await room.world.clock.advance(50);
  assert.deepEqual(
    raw.heard.filter(({ type }) => ['fetching', 'lost', 'queued'].includes(type)),
    [],
  );
});

const states = (room: Classroom, { url }: TestAsset): string[] =>
  room.world.origin.requests.filter((request) => request.url === url).map(({ state }) => state);
