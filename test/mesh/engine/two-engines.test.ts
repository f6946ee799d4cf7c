import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from '../world/world.ts';

/** B gets from A what A got from the origin. Returns the log. */
async function exchange(seed: number): Promise<string> {
  const world = new World(seed);
  const lesson = await world.asset('lesson-1.ts', 1_000_000);
  const a = world.peer('A');
  const fromOrigin = await a.get(lesson);
  const b = world.peer('B');
  await world.connected([a, b]);
  const fromA = await b.get(lesson);
  assert.equal(fromOrigin.source, 'origin');
  assert.equal(fromA.source, 'peers');
  assert.deepEqual(fromA.body, lesson.body);
  assert.equal(world.origin.sentTo('B'), 0);
  await world.clock.advance(3000);
  return world.log.join('\n');
}

test('two engines exchange a checked asset, and the same seed gives the same event log byte for byte', async () => {
  const first = await exchange(7);
  assert.equal(await exchange(7), first);
  assert.match(first, /request 1 [0-9a-f]{8} 0\+8 leaves/);
  assert.match(first, /block \d+ #15 16960/);
});

test('another seed gives other peer ids and connection numbers', async () => {
  assert.notEqual(await exchange(8), await exchange(7));
});
