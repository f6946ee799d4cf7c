import assert from 'node:assert/strict';
import test from 'node:test';
import { BLOCK_BYTES } from '../../../protocol/limits.ts';
import { testBody, type TestAsset } from '../world/test-asset.ts';
import { gotOf, type WorldPeer } from '../world/world-peer.ts';
import { World } from '../world/world.ts';

/** A raw peer that gives the leaves and the first block, and then nothing more. */
function giveFirstBlock(world: World, asset: TestAsset): void {
  world.rawPeer('R', {
    claims: [asset.name.digest],
    answer: ({ request, leaves }, line) => {
      if (!leaves) return;
      line.send({ type: 'leaves', request, size: asset.name.size, untrustedLeaves: asset.leaves });
      line.send({ type: 'block', request, index: 0, untrustedBlock: asset.body.slice(0, BLOCK_BYTES) });
    },
  });
}

const codes = (peer: WorldPeer): string[] => peer.warnings.map(({ code }) => code);

test('an origin that contradicts the digest is shown as it is, with one warning, and nothing is shared', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const changed = testBody(300_000, 99);
  world.origin.put(lesson.url, changed);
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  for (let i = 0; i < 3; i++) {
    const got = await a.get(lesson);
    assert.deepEqual(got.body, changed);
    assert.deepEqual({ source: got.source, shared: got.shared }, { source: 'origin', shared: false });
  }
  assert.deepEqual(codes(a), ['digest-mismatch']);
  assert.equal(a.store.has(lesson.name.digest), false);
  await world.clock.advance(20);
  assert.deepEqual(b.engine.held([lesson.name.digest]), ['nobody']);
});

test('an origin whose bytes have another length contradicts the digest too', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  const longer = testBody(300_001, 1);
  world.origin.put(lesson.url, longer);
  const a = world.peer('A');
  assert.deepEqual((await a.get(lesson)).body, longer);
  assert.deepEqual(codes(a), ['digest-mismatch']);
});

test('a change that is found during a Range fetch gives the whole of the new version, never a splice', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  giveFirstBlock(world, lesson);
  const b = world.peer('B');
  await world.connected([b], 1);
  const changed = testBody(300_000, 99);
  world.origin.put(lesson.url, changed);
  const got = await b.get(lesson);
  assert.deepEqual(got.body, changed);
  assert.equal(got.shared, false);
  assert.deepEqual(codes(b), ['digest-mismatch']);
  assert.equal(b.store.has(lesson.name.digest), false);
  assert.deepEqual(
    world.origin.asked('B').map(({ range }) => range),
    [{ start: BLOCK_BYTES, end: 300_000 }, null],
  );
});

test('a Range fetch that finds a shorter version gives the whole of it', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  giveFirstBlock(world, lesson);
  const b = world.peer('B');
  await world.connected([b], 1);
  const changed = lesson.body.slice(0, 200_000);
  world.origin.put(lesson.url, changed);
  const got = await b.get(lesson);
  assert.deepEqual(got.body, changed);
  assert.equal(got.shared, false);
});

test('the missing blocks come by one Range where the origin has the same bytes', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  giveFirstBlock(world, lesson);
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  assert.deepEqual(
    { source: got.source, shared: got.shared, contentType: got.contentType },
    { source: 'mixed', shared: true, contentType: 'video/mp2t' },
  );
  assert.equal(world.origin.sentTo('B'), 300_000 - BLOCK_BYTES);
});

test('an origin that knows no ranges is asked once: its whole answer is taken', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000, { takesRanges: false });
  giveFirstBlock(world, lesson);
  const b = world.peer('B');
  await world.connected([b], 1);
  const got = await b.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  assert.equal(got.shared, true);
  assert.equal(world.origin.asked('B').length, 1);
});

test('what wants a cookie is fetched with cookies for the page, and not shared', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000, { wantsCookie: true });
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  const got = await a.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  assert.equal(got.shared, false);
  assert.deepEqual(
    world.origin.asked('A').map(({ credentials }) => credentials),
    ['omit', 'same-origin'],
  );
  assert.equal(a.store.has(lesson.name.digest), false);
  await world.clock.advance(20);
  assert.deepEqual(b.engine.held([lesson.name.digest]), ['nobody']);
});

test('what may not be stored reaches the page, and neither store nor neighbours', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000, { shareable: false });
  const [a, b] = [world.peer('A'), world.peer('B')];
  await world.connected([a, b]);
  const got = await a.get(lesson);
  assert.deepEqual(got.body, lesson.body);
  assert.equal(got.shared, false);
  assert.equal(a.store.has(lesson.name.digest), false);
  await world.clock.advance(20);
  assert.deepEqual(b.engine.held([lesson.name.digest]), ['nobody']);
});

test('an empty answer is shown as it came, and never stored or shared', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000);
  world.origin.put(lesson.url, new Uint8Array(0));
  const a = world.peer('A');
  const got = await a.get(lesson);
  assert.deepEqual({ length: got.body.length, shared: got.shared }, { length: 0, shared: false });
  assert.equal(a.store.has(lesson.name.digest), false);
  assert.deepEqual(codes(a), ['digest-mismatch']);
});

for (const name of ['listed', 'unlisted'] as const) {
  test(`an answer cut short is an error for an ${name} asset, never a short success`, async () => {
    const world = new World();
    const lesson = await world.asset('lesson.ts', 300_000, { truncateAt: 100_000 });
    const a = world.peer('A');
    const asking = a.ask(name === 'listed' ? lesson : { url: lesson.url, name: null });
    await world.clock.until(() => asking.answer !== null);
    assert.ok(asking.answer?.type === 'failed');
    assert.equal(asking.answer.code, 'origin-failed');
    assert.equal(a.store.has(lesson.name.digest), false);
    assert.deepEqual(codes(a), []);
  });
}

test('a Range answer cut short is an error', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000, { truncateAt: 100_000 });
  giveFirstBlock(world, lesson);
  const b = world.peer('B');
  await world.connected([b], 1);
  const asking = b.ask(lesson);
  await world.clock.until(() => asking.answer !== null);
  assert.equal(asking.answer?.type, 'failed');
});

test('an HTTP error comes through with its status', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 300_000, { status: 404 });
  const a = world.peer('A');
  const asking = a.ask(lesson);
  await world.clock.until(() => asking.answer !== null);
  assert.ok(asking.answer?.type === 'failed');
  assert.equal(asking.answer.status, 404);
  assert.equal(a.stats.originReachable, true);
  assert.throws(() => gotOf(asking), /origin-failed/);
});

test('an origin that dies midway is noticed, and the answer is an error', async () => {
  const world = new World();
  const lesson = await world.asset('lesson.ts', 3_000_000);
  const a = world.peer('A');
  const asking = a.ask(lesson);
  await world.clock.until(() => a.stats.bytes.origin > 100_000);
  world.origin.reachable = false;
  await world.clock.until(() => asking.answer !== null);
  assert.equal(asking.answer?.type, 'failed');
  assert.equal(a.stats.originReachable, false);
});
