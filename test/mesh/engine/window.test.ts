/** What a player says that it will need. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Expected } from '../../../protocol/page.ts';
import type { TestAsset } from '../world/test-asset.ts';
import { World } from '../world/world.ts';

const SIZE = 1000;

const expected = ({ url, name }: TestAsset): Expected => ({ url, name, within: 10_000 });

test('it goes last, and neighbours have it meanwhile; once it is not needed any more it goes like all else', async () => {
  const world = new World();
  const [a, b] = [world.peer('A', { storeBytes: 3 * SIZE }), world.peer('B')];
  await world.connected([a, b]);
  const soon = await world.asset('soon.ts', SIZE);
  const others = await Promise.all([1, 2, 3, 4].map((i) => world.asset(`${i}.png`, SIZE - i)));
  await a.get(soon);
  a.engine.expect({ type: 'window', player: 1, swarm: null, assets: [expected(soon)] });
  for (const other of others) await a.get(other);
  assert.deepEqual(
    [soon, ...others].map(({ name }) => a.store.has(name.digest)),
    [true, false, false, true, true],
  );
  assert.equal((await b.get(soon)).source, 'peers');
  a.engine.expect({ type: 'window', player: 1, swarm: null, assets: [] });
  for (const other of others) await a.get(other);
  assert.equal(a.store.has(soon.name.digest), false);
});
