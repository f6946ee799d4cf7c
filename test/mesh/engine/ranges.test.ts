import assert from 'node:assert/strict';
import test from 'node:test';
import { nameOf } from '../../../protocol/digest.ts';
import { nodeSha256 } from '../world/test-asset.ts';
import type { Resource } from '../world/memory-origin.ts';
import { World } from '../world/world.ts';

const RANGE = { start: 100_001, end: 400_000 };

/** A file of 600,000 bytes, and the asset that a range of it is. */
async function setUp(how: Partial<Resource> = {}) {
  const world = new World();
  const file = await world.asset('all.ts', 600_000, how);
  const body = file.body.slice(RANGE.start, RANGE.end);
  const { digest, size } = await nameOf(body, nodeSha256);
  return { world, file, segment: { url: file.url, name: { digest, size } }, body };
}

test('a range of a URL that has a name is an asset: the second asker has it from the first', async () => {
  const { world, segment, body } = await setUp();
  const a = world.peer('A');
  const got = await a.get(segment, { range: RANGE });
  assert.deepEqual([got.body, got.source, got.shared], [body, 'origin', true]);
  assert.deepEqual(world.origin.requests.at(-1)?.range, RANGE);
  const b = world.peer('B');
  await world.connected([a, b]);
  const second = await b.get(segment, { range: RANGE });
  assert.deepEqual([second.body, second.source], [body, 'peers']);
  assert.equal(world.origin.asked('B').length, 0);
});

test('an origin that knows no ranges gives all, of which the asset is taken', async () => {
  const { world, segment, body } = await setUp({ takesRanges: false });
  const got = await world.peer('A').get(segment, { range: RANGE });
  assert.deepEqual([got.body, got.shared], [body, true]);
});

test('what is missing of a range when its holder is gone comes from the right place of the file', async () => {
  const { world, segment, body } = await setUp();
  world.network.line = { latency: 5, bytesPerMillisecond: 500, maxMessageSize: 65_536 };
  const a = world.peer('A');
  await a.get(segment, { range: RANGE });
  const b = world.peer('B');
  await world.connected([a, b]);
  const asking = b.ask(segment, { range: RANGE });
  await world.clock.until(() => b.stats.bytes.peers > 60_000);
  a.die();
  await world.clock.until(() => asking.answer !== null);
  assert.ok(asking.answer?.type === 'loaded');
  assert.deepEqual(new Uint8Array(asking.answer.body), body);
  assert.equal(asking.answer.source, 'mixed');
  assert.ok(world.origin.asked('B').every(({ range }) => range && range.start > RANGE.start && range.end <= RANGE.end));
});

test('a range without a name, or of another size than its name says, comes from the origin for the page alone', async () => {
  const { world, segment, file } = await setUp();
  const a = world.peer('A');
  const plain = await a.get({ url: file.url, name: null }, { range: RANGE });
  const other = await a.get(segment, { range: { start: 0, end: 10 } });
  assert.deepEqual([plain.shared, other.shared, other.body.length], [false, false, 10]);
});
