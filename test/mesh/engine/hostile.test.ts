import assert from 'node:assert/strict';
import test from 'node:test';
import { SITE_WINDOW_BYTES } from '../../../mesh/core/limits.ts';
import type { Digest, PeerId } from '../../../protocol/ids.ts';
import { BLOCK_BYTES, MAX_SWARMS } from '../../../protocol/limits.ts';
import type { BlockRequest, RawLine } from '../world/raw-peer.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { gotOf } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

const block = (asset: TestAsset, index: number): Uint8Array<ArrayBuffer> =>
  asset.body.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);

/** Serves an asset, and `spoil` may change each block. */
const serve =
  (asset: TestAsset, spoil: (block: Uint8Array<ArrayBuffer>, index: number) => void) =>
  ({ request, first, count, leaves }: BlockRequest, line: RawLine): void => {
    if (leaves) line.send({ type: 'leaves', request, size: asset.name.size, untrustedLeaves: asset.leaves });
    for (let index = first; index < first + count; index++) {
      const untrustedBlock = block(asset, index);
      spoil(untrustedBlock, index);
      line.send({ type: 'block', request, index, untrustedBlock });
    }
  };

test('a peer that sends one wrong byte is banned at once, and the asset still arrives right', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 2_000_000);
  const raw = world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: serve(lesson, (bytes, index) => {
      if (index === 3) bytes[100]! ^= 1;
    }),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  const asking = b.ask(lesson);
  await world.clock.until(() => b.stats.banned === 1);
  assert.equal(asking.answer, null, 'banned before the asset is there');
  await world.clock.until(() => asking.answer !== null);
  const got = gotOf(asking);
  assert.deepEqual(got.body, lesson.body);
  assert.equal(got.source, 'mixed');
  assert.deepEqual(b.store.get(lesson.name.digest)?.body, lesson.body);
  assert.equal(b.stats.peers, 0);
  assert.equal(b.peerEvents('banned'), 1);
  assert.deepEqual(world.server.reported, [raw.peer], 'the server is told, once');
  assert.deepEqual(
    b.warnings.map(({ code }) => code),
    ['peer-banned'],
  );
});

test('wrong bytes never reach a third peer', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 1_000_000);
  const raw = world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: serve(lesson, (bytes) => void (bytes[0]! ^= 255)),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  await b.get(lesson);
  const c = world.peer('C');
  await world.clock.until(() => raw.lines.length === 2 && c.stats.peers === 2);
  await world.clock.advance(100);
  assert.deepEqual((await c.get(lesson)).body, lesson.body);
  const isBanned = (peer: PeerId | null): boolean =>
    c.posts.some((post) => post.type === 'peer' && post.state === 'banned' && post.peer === peer);
  assert.equal(isBanned(b.stats.peer), false, 'what B passes on is right');
  assert.equal(isBanned(raw.peer), raw.lines.length > 1 && c.stats.banned === 1);
});

test('a banned peer is banned on every swarm and for good: it is neither dialled nor answered', async () => {
  const world = new World();
  const [one, two] = [await world.asset('1.ts', 70_000), await world.asset('2.ts', 80_000)];
  const raw = world.rawPeer('R', {
    swarms: ['https://school.test', 'video'],
    claims: [one.name.digest, two.name.digest],
    answer: serve(one, (bytes) => void (bytes[0]! ^= 1)),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  await b.get(one);
  b.engine.join('video' as never);
  await world.clock.advance(15_000);
  assert.equal(b.stats.peers, 0);
  assert.equal(raw.lines.length, 1);
  assert.equal((await b.get(two, { swarmName: 'video' })).source, 'origin');
});

test('a peer whose leaves are wrong is banned', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 200_000);
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) => {
      const untrustedLeaves = lesson.leaves.slice();
      untrustedLeaves[40]! ^= 1;
      line.send({ type: 'leaves', request, size: lesson.name.size, untrustedLeaves });
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.equal(b.stats.banned, 1);
  assert.deepEqual(
    { source: got.source, right: Buffer.compare(got.body, lesson.body) },
    { source: 'origin', right: 0 },
  );
});

test('leaves of another size are wrong leaves', async () => {
  const world = new World();
  const [lesson, other] = [await world.asset('lesson.ts', 200_000), await world.asset('other.ts', 300_000)];
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) =>
      line.send({ type: 'leaves', request, size: other.name.size, untrustedLeaves: other.leaves }),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  await b.get(lesson);
  assert.equal(b.stats.banned, 1);
});

test('a block before any leaves can not be checked, so its sender is banned', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 200_000);
  world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: ({ request }, line) => line.send({ type: 'block', request, index: 0, untrustedBlock: block(lesson, 0) }),
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  assert.equal((await b.get(lesson)).source, 'origin');
  assert.equal(b.stats.banned, 1);
});

test('blocks that nobody asked for are ignored', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const raw = world.rawPeer('R', {
    claims: [lesson.name.digest],
    answer: (message, line) => {
      line.send({ type: 'block', request: 4711, index: 0, untrustedBlock: new Uint8Array(10) });
      line.send({ type: 'block', request: message.request, index: 77, untrustedBlock: new Uint8Array(10) });
      serve(lesson, () => undefined)(message, line);
      line.send({ type: 'block', request: message.request, index: 0, untrustedBlock: new Uint8Array(10) });
    },
  });
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.equal(got.source, 'peers');
  assert.deepEqual(got.body, lesson.body);
  assert.equal(b.stats.banned, 0);
  assert.ok(raw.heard.some(({ type }) => type === 'request'));
});

test('a peer that announces everything and answers nothing delays several assets by a second in all at most', async () => {
  const world = new World();
  const assets = await Promise.all([1, 2, 3, 4, 5].map((i) => world.asset(`${i}.ts`, 100_000 + i)));
  world.rawPeer('R', { claims: assets.map(({ name }) => name.digest) });
  const b = world.peer('B');
  const from = world.clock.now();
  for (const asset of assets) assert.deepEqual((await b.get(asset)).body, asset.body);
  const alone = 5 * (40 + 100_000 / 2000);
  assert.ok(world.clock.now() - from - alone <= 1000, `${world.clock.now() - from - alone} ms`);
});

test('a peer that connects and says nothing delays the first request by a second at most', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 100_000);
  world.rawPeer('R', { greets: false });
  const b = world.peer('B');
  const { took } = await b.get(lesson);
  assert.ok(took <= 1000 + 40 + 51, `${took} ms`);
});

for (const [what, bytes] of [
  ['a message shorter than its header', Uint8Array.of(1, 2, 3)],
  ['a frame of unknown type', Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ['a frame that announces 4 GB', Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 0, 1)],
  ['a hello that breaks off', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 7, 7)],
] as const) {
  test(`${what} ends the connection with one clear warning`, async () => {
    const world = new World();
    const lesson = await world.asset('lesson.ts', 100_000);
    const raw = world.rawPeer('R');
    const b = world.peer('B');
    await world.connected([b], 1);
    raw.lines[0]!.sendBytes(Uint8Array.from(bytes));
    await world.clock.until(() => b.stats.peers === 0);
    await world.clock.advance(15_000);
    assert.equal(raw.lines.length, 1, 'it is not connected to again');
    assert.deepEqual(
      b.warnings.map(({ code }) => code),
      ['bad-frame'],
    );
    assert.match(b.warnings[0]!.message, /expected .*, got /);
    assert.equal((await b.get(lesson)).source, 'origin');
  });
}

test('requests for what we do not hold, or beyond an end, are refused', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 100_000);
  const raw = world.rawPeer('R');
  const b = world.peer('B');
  await world.connected([b], 1);
  await b.get(lesson);
  const [line] = raw.lines;
  line!.send({ type: 'request', request: 1, digest: 'f'.repeat(64) as Digest, first: 0, count: 1, leaves: true });
  line!.send({ type: 'request', request: 2, digest: lesson.name.digest, first: 1, count: 2, leaves: false });
  line!.send({
    type: 'request',
    request: 3,
    digest: lesson.name.digest,
    first: 2 ** 32 - 1,
    count: 2 ** 32 - 1,
    leaves: false,
  });
  await world.clock.advance(100);
  assert.deepEqual(
    raw.heard
      .filter(({ type }) => type === 'refuse')
      .map((message) => (message.type === 'refuse' ? [message.request, message.reason] : [])),
    [
      [1, 'not-held'],
      [2, 'not-held'],
      [3, 'not-held'],
    ],
  );
});

test('a peer that floods us with requests is refused as busy', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 1_000_000);
  const raw = world.rawPeer('R');
  const b = world.peer('B', { maxUpload: 1_000_000 });
  await world.connected([b], 1);
  await b.get(lesson);
  for (let request = 1; request <= 100; request++)
    raw.lines[0]!.send({ type: 'request', request, digest: lesson.name.digest, first: 0, count: 16, leaves: true });
  await world.clock.advance(500);
  assert.equal(raw.heard.filter((message) => message.type === 'refuse' && message.reason === 'busy').length, 68);
});

test('one that asks for much and confirms nothing gets a window of it, and holds nobody else up', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 1_000_000);
  const a = world.peer('A');
  await a.get(lesson);
  const raw = world.rawPeer('R', { confirms: false });
  await world.clock.until(() => raw.lines.length === 1);
  for (let request = 1; request <= 8; request++)
    raw.lines[0]!.send({ type: 'request', request, digest: lesson.name.digest, first: 0, count: 16, leaves: false });
  await world.clock.advance(2000);
  const blocks = raw.heard.filter(({ type }) => type === 'block');
  assert.ok(blocks.length > 0 && blocks.length * BLOCK_BYTES <= SITE_WINDOW_BYTES, `${blocks.length} blocks`);
  const b = world.peer('B');
  await world.connected([b], 2);
  assert.equal((await b.get(lesson)).source, 'peers');
});

test('a peer in more swarms than a hello may name is no wrongdoer', async () => {
  const world = new World();
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  for (let i = 0; i < MAX_SWARMS + 4; i++) a.engine.join(`video ${i}` as never);
  await world.clock.advance(2000);
  assert.deepEqual([b.stats.banned, b.stats.peers, a.stats.signaling], [0, 1, 'joined']);
});

test('a peer of another protocol version is left alone, not banned', async () => {
  const world = new World();
  const raw = world.rawPeer('R', { greets: false });
  const b = world.peer('B');
  await world.connected([b], 1);
  raw.lines[0]!.send({ type: 'hello', version: 2, swarms: [] });
  await world.clock.advance(15_000);
  assert.deepEqual([b.stats.peers, b.stats.banned, raw.lines.length], [0, 0, 1]);
});
