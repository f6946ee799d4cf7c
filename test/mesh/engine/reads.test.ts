/** Assets read piece by piece, as a service worker does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  LEAVES_WAIT_MS,
  MAX_UNFINISHED,
  READ_LINGER_MS,
  UNFINISHED_FOR_MS,
  UNREAD_FOR_MS,
} from '../../../mesh/core/limits.ts';
import { Reads } from '../../../mesh/engine/reads.ts';
import { nameOf } from '../../../protocol/digest.ts';
import { AWAKE_EVERY_MS, BLOCK_BYTES, MAX_PART_BYTES } from '../../../protocol/limits.ts';
import type { AssetAnswer, ByteRange } from '../../../protocol/page.ts';
import { leavesUrl } from './classroom.ts';
import { WEB_ORIGIN } from '../world/surroundings.ts';
import { nodeSha256, testAsset, testBody, type TestAsset } from '../world/test-asset.ts';
import type { PieceAsking, WorldPeer, WorldPeerOptions } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

const MANIFEST = `${WEB_ORIGIN}/p2p-manifest.json`;
const SIZE = 40 * BLOCK_BYTES + 17;

interface Stage {
  readonly world: World;
  readonly film: TestAsset;
  readonly peer: (name: string, options?: Partial<WorldPeerOptions>) => WorldPeer;
}

/** A film that the manifest lists, and its block hashes unless told otherwise. */
async function setUp({ leaves = true, more = [] as readonly TestAsset[] } = {}): Promise<Stage> {
  const world = new World();
  const film = await world.asset('film.mp4', SIZE);
  const assets = [film, ...more].map(({ url, name }) => [new URL(url).pathname, { ...name, type: 'video/mp4' }]);
  listed(world, Object.fromEntries(assets) as Record<string, unknown>);
  if (leaves) world.origin.put(leavesUrl(film), film.leaves);
  return { world, film, peer: (name, options) => world.peer(name, { manifest: MANIFEST, ...options }) };
}

interface LongFilm {
  readonly world: World;
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Its last part. */
  readonly last: TestAsset['name'];
  readonly range: ByteRange;
}

/** A film of two parts. */
async function longFilm(): Promise<LongFilm> {
  const world = new World();
  const body = testBody(MAX_PART_BYTES + 3 * BLOCK_BYTES);
  const url = `${WEB_ORIGIN}/long.mp4`;
  world.origin.put(url, body);
  const parts = await Promise.all(
    [body.slice(0, MAX_PART_BYTES), body.slice(MAX_PART_BYTES)].map((part) => nameOf(part, nodeSha256)),
  );
  for (const part of parts) world.origin.put(`${WEB_ORIGIN}/p2p/leaves/${part.digest}`, part.leaves);
  listed(world, { '/long.mp4': { type: 'video/mp4', size: body.length, parts: parts.map(({ digest }) => digest) } });
  return { world, url, body, last: named(parts[1]!).name, range: { start: MAX_PART_BYTES, end: body.length } };
}

function listed(world: World, assets: Record<string, unknown>): void {
  const manifest = JSON.stringify({ version: 1, leaves: '/p2p/leaves/', assets });
  world.origin.put(MANIFEST, Uint8Array.from(Buffer.from(manifest)));
}

const given = ({ world }: Stage, asking: PieceAsking, bytes: number): Promise<void> =>
  world.clock.until(() => asking.bytes.length >= bytes || asking.ended !== null, 60_000);

const bytesOf = (body: Uint8Array, from: number, to = body.length): Buffer => Buffer.from(body.subarray(from, to));

/** Of the film, in the order asked. */
const askedOf = ({ world, film }: Stage, by: string): string[] =>
  world.origin.asked(by, film.url).map(({ range }) => (range ? `${range.start}-${range.end}` : 'all'));

test('who is alone is given the bytes of the origin as they come, no block hashes needed', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  stage.world.origin.bytesPerMillisecond = 100;
  const asking = a.read(stage.film);
  await given(stage, asking, 3 * BLOCK_BYTES);
  assert.ok(asking.bytes.length < SIZE / 2, `${asking.bytes.length} bytes`);
  assert.equal(stage.world.origin.asked('A', leavesUrl(stage.film)).length, 0);
  await given(stage, asking, SIZE);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, 0));
  assert.equal(a.store.has(stage.film.name.digest), true);
});

test('no more is given than was pulled', async () => {
  const stage = await setUp();
  const asking = stage.peer('A').read(stage.film, { pull: 1000 });
  await stage.world.clock.advance(5000);
  assert.equal(asking.bytes.length, 1000);
  asking.pull(500);
  await stage.world.clock.advance(0);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, 0, 1500));
});

test('what a neighbour holds is given block by block, and nothing is asked of the origin', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  await given(stage, a.read(stage.film), SIZE);
  const b = stage.peer('B');
  await stage.world.connected([a, b]);
  const asking = b.read(stage.film);
  await given(stage, asking, SIZE);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, 0));
  assert.deepEqual(askedOf(stage, 'B'), []);
});

test('what is held is given from the middle, and counts as bytes of the store', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  await given(stage, a.read(stage.film), SIZE);
  const before = a.stats.bytes.store;
  const asking = a.read(stage.film, { from: SIZE - 10, to: SIZE - 3 });
  await given(stage, asking, 7);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, SIZE - 10, SIZE - 3));
  assert.equal(a.stats.bytes.store - before, 7);
});

test('a piece of the middle is asked of the origin from its first block on, checked block by block', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  const from = 20 * BLOCK_BYTES + 5;
  const asking = a.read(stage.film, { from, to: from + 100_000 });
  await given(stage, asking, 100_000);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, from, from + 100_000));
  assert.deepEqual(askedOf(stage, 'A'), [`${20 * BLOCK_BYTES}-${SIZE}`]);
});

test('a piece of the middle comes from a neighbour that holds it, that piece first', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  await given(stage, a.read(stage.film), SIZE);
  stage.world.network.line = { latency: 5, bytesPerMillisecond: 200, maxMessageSize: 65_536 };
  const b = stage.peer('B');
  await stage.world.connected([a, b]);
  const from = 30 * BLOCK_BYTES;
  const asking = b.read(stage.film, { from, to: from + 1000 });
  await given(stage, asking, 1000);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, from, from + 1000));
  assert.ok(b.stats.bytes.peers < SIZE / 2, `${b.stats.bytes.peers} bytes`);
  assert.deepEqual(askedOf(stage, 'B'), []);
});

test('without block hashes a piece of the middle is left to the page', async () => {
  const stage = await setUp({ leaves: false });
  const asking = stage.peer('A').read(stage.film, { from: 20 * BLOCK_BYTES });
  await given(stage, asking, SIZE);
  assert.equal(asking.ended, 'pass');
});

test('who jumps ahead while it comes has the new place at once, and the asset is whole in the end', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  stage.world.origin.bytesPerMillisecond = 100;
  const start = a.read(stage.film);
  await given(stage, start, BLOCK_BYTES);
  const from = 35 * BLOCK_BYTES;
  const jumped = a.read(stage.film, { from });
  const at = stage.world.clock.now();
  await given(stage, jumped, BLOCK_BYTES);
  // Two round trips and a block, where all that lies before would have taken 23 s.
  assert.ok(stage.world.clock.now() - at < 2000, `${stage.world.clock.now() - at} ms`);
  await given(stage, start, SIZE);
  assert.deepEqual(start.bytes, bytesOf(stage.film.body, 0));
  assert.deepEqual(jumped.bytes, bytesOf(stage.film.body, from));
  assert.equal(a.store.has(stage.film.name.digest), true);
  const sent = stage.world.origin.asked('A', stage.film.url).reduce((sum, request) => sum + request.sent, 0);
  assert.ok(sent < SIZE + 10 * BLOCK_BYTES, `${sent} bytes, of ${SIZE}`);
});

test('a place that comes in a moment is waited for', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  const start = a.read(stage.film, { from: BLOCK_BYTES });
  await given(stage, start, BLOCK_BYTES);
  await given(stage, a.read(stage.film, { from: 7 * BLOCK_BYTES }), BLOCK_BYTES);
  assert.equal(askedOf(stage, 'A').length, 1);
});

test('what was checked when nobody read on is not asked for again', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  stage.world.origin.bytesPerMillisecond = 100;
  const first = a.read(stage.film, { from: 10 * BLOCK_BYTES });
  await given(stage, first, 5 * BLOCK_BYTES);
  first.abort();
  await stage.world.clock.advance(1000);
  assert.deepEqual(
    stage.world.origin.asked('A', stage.film.url).map(({ state }) => state),
    ['aborted'],
  );
  const again = a.read(stage.film, { from: 10 * BLOCK_BYTES });
  await given(stage, again, SIZE - 10 * BLOCK_BYTES);
  assert.deepEqual(again.bytes, bytesOf(stage.film.body, 10 * BLOCK_BYTES));
  const [, second] = askedOf(stage, 'A');
  assert.ok(Number(second?.split('-')[0]) >= 15 * BLOCK_BYTES, second);
});

test('it is kept for a while only', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  stage.world.origin.bytesPerMillisecond = 100;
  const first = a.read(stage.film, { from: 10 * BLOCK_BYTES });
  await given(stage, first, 5 * BLOCK_BYTES);
  first.abort();
  await stage.world.clock.advance(UNFINISHED_FOR_MS);
  await given(stage, a.read(stage.film, { from: 10 * BLOCK_BYTES }), BLOCK_BYTES);
  assert.equal(askedOf(stage, 'A')[1], `${10 * BLOCK_BYTES}-${SIZE}`);
});

test('of too many the oldest is not kept', async () => {
  const more = await Promise.all(
    Array.from({ length: MAX_UNFINISHED }, async (_, i): Promise<TestAsset> => {
      const body = testBody(SIZE, i);
      return { url: `${WEB_ORIGIN}/${i}.mp4`, body, ...named(await nameOf(body, nodeSha256)) };
    }),
  );
  const stage = await setUp({ more });
  const { world, film } = stage;
  for (const asset of more) {
    world.origin.put(asset.url, asset.body);
    world.origin.put(leavesUrl(asset), asset.leaves);
  }
  const a = stage.peer('A');
  for (const asset of [film, ...more]) {
    const asking = a.read(asset, { from: 10 * BLOCK_BYTES });
    await given(stage, asking, 3 * BLOCK_BYTES);
    asking.abort();
  }
  const asking = a.read(film, { from: 10 * BLOCK_BYTES });
  await given(stage, asking, 1);
  assert.equal(askedOf(stage, 'A')[1], `${10 * BLOCK_BYTES}-${SIZE}`);
});

test('a player that reads piece after piece costs one request', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  stage.world.origin.bytesPerMillisecond = 100;
  for (let from = 8 * BLOCK_BYTES; from < 24 * BLOCK_BYTES; from += 4 * BLOCK_BYTES) {
    await given(stage, a.read(stage.film, { from, to: from + 4 * BLOCK_BYTES }), 4 * BLOCK_BYTES);
    await stage.world.clock.advance(READ_LINGER_MS / 2);
  }
  assert.equal(askedOf(stage, 'A').length, 1);
});

test('what nobody reads on is let go, and taken up again where the reader is', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const a = stage.peer('A');
  world.origin.bytesPerMillisecond = 30;
  const asking = a.read(film, { from: BLOCK_BYTES, pull: 1000 });
  await given(stage, asking, 1000);
  await world.clock.advance(UNREAD_FOR_MS);
  assert.deepEqual(
    world.origin.asked('A', film.url).map(({ state }) => state),
    ['aborted'],
  );
  await world.clock.advance(10 * UNREAD_FOR_MS);
  world.origin.bytesPerMillisecond = 1000;
  asking.pull(Infinity);
  await given(stage, asking, SIZE - BLOCK_BYTES);
  assert.deepEqual(asking.bytes, bytesOf(film.body, BLOCK_BYTES));
});

test('a piece whose asset the manifest does not list so any more is left to the page', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const a = stage.peer('A');
  const other = await testAsset(`${WEB_ORIGIN}/other.mp4`, SIZE, 7);
  world.origin.put(other.url, other.body);
  const askings = [
    a.read({ url: film.url, name: other.name }),
    a.read({ url: other.url, name: other.name }),
    a.read(film, { range: { start: MAX_PART_BYTES, end: MAX_PART_BYTES + SIZE } }),
  ];
  await world.clock.until(() => askings.every(({ ended }) => ended !== null));
  assert.deepEqual(
    askings.map(({ ended, bytes }) => [ended, bytes.length]),
    [
      ['pass', 0],
      ['pass', 0],
      ['pass', 0],
    ],
  );
});

test('other bytes of the origin are given whole, if they are as many, and not shared', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const body = testBody(SIZE, 99);
  world.origin.put(film.url, body);
  const a = stage.peer('A');
  const asking = a.read(film);
  await given(stage, asking, SIZE);
  assert.deepEqual(asking.bytes, bytesOf(body, 0));
  await world.clock.advance(1000);
  assert.equal(a.store.has(film.name.digest), false);
  assert.equal(a.warnings.length, 1);
});

test('two versions are never spliced: a beginning that the origin gave is not followed by blocks that are not of it', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const holder = stage.peer('A');
  await given(stage, holder.read(film), SIZE);
  world.origin.put(film.url, testBody(SIZE, 99));
  world.origin.bytesPerMillisecond = 50;
  const b = stage.peer('B', { share: false });
  const asking = b.read(film);
  await given(stage, asking, BLOCK_BYTES);
  b.engine.share();
  await world.connected([holder, b]);
  await given(stage, asking, SIZE);
  // Either the origin's other version to its end, or a break.
  if (asking.ended === null) assert.deepEqual(asking.bytes, bytesOf(testBody(SIZE, 99), 0));
  else assert.deepEqual(asking.bytes, bytesOf(testBody(SIZE, 99), 0, asking.bytes.length));
});

test('a file in parts is read part by part', async () => {
  const { world, body, url, last, range } = await longFilm();
  const peer = world.peer('A', { manifest: MANIFEST });
  const asking = peer.read({ url, name: last }, { range, from: 5 });
  await world.clock.until(() => asking.bytes.length === last.size - 5, 10_000);
  assert.deepEqual(asking.bytes, bytesOf(body, MAX_PART_BYTES + 5));
  assert.equal(peer.store.has(last.digest), true);
});

test('a later part is given while it comes, checked, for what came before it may have been of another version', async () => {
  const { world, body, url, last, range } = await longFilm();
  world.origin.bytesPerMillisecond = 50;
  const asking = world.peer('A', { manifest: MANIFEST }).read({ url, name: last }, { range });
  await world.clock.until(() => asking.bytes.length > 0, 10_000);
  assert.ok(asking.bytes.length < last.size, `${asking.bytes.length} bytes`);
  await world.clock.until(() => asking.bytes.length === last.size, 10_000);
  assert.deepEqual(asking.bytes, bytesOf(body, MAX_PART_BYTES));
});

test('of other bytes than the listed part nothing is given', async () => {
  const { world, body, url, last, range } = await longFilm();
  world.origin.put(url, testBody(body.length, 99));
  const asking = world.peer('A', { manifest: MANIFEST }).read({ url, name: last }, { range });
  await world.clock.until(() => asking.ended !== null, 10_000);
  assert.deepEqual([asking.ended, asking.bytes.length], ['pass', 0]);
});

for (const more of [1000, -1000])
  test(`an answer of ${more} bytes more than the manifest says is left to the page`, async () => {
    const stage = await setUp();
    stage.world.origin.put(stage.film.url, testBody(SIZE + more));
    const asking = stage.peer('A').read(stage.film);
    await given(stage, asking, SIZE);
    assert.deepEqual([asking.ended, asking.bytes.length], ['pass', 0]);
  });

for (const more of [1000, -1000])
  test(`one of ${more} bytes more that does not tell its length never looks whole`, async () => {
    const stage = await setUp();
    stage.world.origin.put(stage.film.url, testBody(SIZE + more), { hidesSize: true });
    const asking = stage.peer('A').read(stage.film);
    await given(stage, asking, SIZE);
    assert.equal(asking.ended, 'failed');
    assert.ok(asking.bytes.length > 0 && asking.bytes.length < SIZE, `${asking.bytes.length} bytes`);
  });

test('one that does not tell its length and is right is given to its end', async () => {
  const stage = await setUp();
  stage.world.origin.put(stage.film.url, stage.film.body, { hidesSize: true });
  const asking = stage.peer('A').read(stage.film);
  await given(stage, asking, SIZE);
  assert.deepEqual(asking.bytes, bytesOf(stage.film.body, 0));
});

test('what is not to be shared is left to the page', async () => {
  const stage = await setUp();
  stage.world.origin.put(stage.film.url, stage.film.body, { shareable: false });
  const asking = stage.peer('A').read(stage.film);
  await given(stage, asking, SIZE);
  assert.deepEqual([asking.ended, asking.bytes.length], ['pass', 0]);
});

test('block hashes that hang leave a piece of the middle to the page soon', async () => {
  const stage = await setUp();
  stage.world.origin.put(leavesUrl(stage.film), stage.film.leaves, { hangs: true });
  const asking = stage.peer('A').read(stage.film, { from: 20 * BLOCK_BYTES });
  const at = stage.world.clock.now();
  await given(stage, asking, SIZE);
  assert.equal(asking.ended, 'pass');
  assert.ok(stage.world.clock.now() - at <= LEAVES_WAIT_MS + 100, `${stage.world.clock.now() - at} ms`);
});

test('nor do they hold up who wants all of it', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  world.origin.put(leavesUrl(film), film.leaves, { hangs: true });
  const a = stage.peer('A');
  a.read(film, { from: 20 * BLOCK_BYTES });
  const asking = a.ask(film);
  await world.clock.until(() => asking.answer !== null, 10_000);
  assert.equal(asking.answer?.type, 'loaded');
});

test('who waits while others of the same asset come hears of it', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const a = stage.peer('A');
  world.origin.bytesPerMillisecond = 100;
  const first = a.read(film);
  await given(stage, first, BLOCK_BYTES);
  await given(stage, a.read(film, { from: 20 * BLOCK_BYTES }), BLOCK_BYTES);
  const before = first.told;
  await world.clock.advance(3500);
  assert.ok(first.told - before >= 2, `${first.told - before} times`);
  await given(stage, first, SIZE);
  assert.deepEqual(first.bytes, bytesOf(film.body, 0));
});

test('who asked is gone: nothing is read on for it, and it is not kept awake', async () => {
  const stage = await setUp();
  const { world, film } = stage;
  const a = stage.peer('A');
  world.origin.bytesPerMillisecond = 1;
  const asking = a.read(film);
  await given(stage, asking, 1);
  asking.close();
  await world.clock.advance(0);
  assert.deepEqual(
    world.origin.asked('A', film.url).map(({ state }) => state),
    ['aborted'],
  );
  const calls = (): number => a.posts.filter(({ type }) => type === 'stay-awake').length;
  const before = calls();
  await world.clock.advance(60_000);
  assert.equal(calls(), before);
});

test('what nobody takes keeps nobody awake', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  a.read(stage.film, { pull: 10 });
  await stage.world.clock.advance(UNREAD_FOR_MS + 60_000);
  const calls = a.posts.filter(({ type }) => type === 'stay-awake').length;
  assert.ok(calls > 0 && calls <= UNREAD_FOR_MS / AWAKE_EVERY_MS, `${calls} calls`);
});

test('what gives pieces could not be loaded: the page does it, and the next question tries again', async () => {
  const stage = await setUp();
  let loads = 0;
  const a = stage.peer('A', {
    loadReads: () => (loads++ === 0 ? Promise.reject(new Error('offline')) : Promise.resolve({ Reads })),
  });
  const answers: AssetAnswer[] = [];
  const { url, name } = stage.film;
  const asker = a.engine.asker((answer) => answers.push(answer));
  const read = { type: 'read', url, name, range: null, from: 0, to: 10, age: 0, pull: 10 } as const;
  asker.ask({ ...read, id: 1 });
  asker.ask({ type: 'pull', id: 1, bytes: 10 });
  await stage.world.clock.until(() => answers.length > 0);
  asker.ask({ ...read, id: 2 });
  await stage.world.clock.until(() => answers.length > 1);
  assert.deepEqual(
    answers.map(({ type, id }) => [type, id]),
    [
      ['pass', 1],
      ['chunk', 2],
    ],
  );
});

test('as long as anything is read the page keeps the worker awake', async () => {
  const stage = await setUp();
  const a = stage.peer('A');
  const asking = a.read(stage.film, { pull: 10 });
  await stage.world.clock.advance(35_000);
  const calls = (): number => a.posts.filter(({ type }) => type === 'stay-awake').length;
  assert.equal(calls(), 3);
  asking.abort();
  await stage.world.clock.advance(60_000);
  assert.equal(calls(), 3);
});

const named = ({ digest, size, leaves }: { digest: string; size: number; leaves: Uint8Array<ArrayBuffer> }) => ({
  name: { digest, size } as TestAsset['name'],
  leaves,
});
