import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryDirectory } from '../../../server/signaling/memory-directory.ts';
import { PickableList } from '../../../server/signaling/random-picks.ts';
import type { PeerId } from '../../../protocol/ids.ts';
import type { SiteKey } from '../../../server/site.ts';
import { swarmId } from '../support.ts';
import { directoryContract } from './directory-contract.ts';

/** The same numbers each time (xorshift). */
function seeded(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

directoryContract(async (_t, now) => new MemoryDirectory(seeded(1), now), 60, 1.4);

test('a join costs the same in a swarm of 20,000 as in one of 20', () => {
  const [swarm, here, there] = [swarmId('lesson'), 'here' as SiteKey, 'there' as SiteKey];
  const peer = (index: number): PeerId => String(index) as PeerId;
  let draws = 0;
  const random = seeded(3);
  const directory = new MemoryDirectory(() => (draws++, random()));
  for (let i = 0; i < 20_000; i++) directory.join(swarm, peer(i), i % 2 ? here : there);
  draws = 0;
  for (let i = 0; i < 100; i++) directory.join(swarm, peer(i), i % 2 ? here : there);
  assert.ok(draws / 100 < 60, `${draws / 100} draws for each join`);
});

test('a shuffle gives every item once, also after many were taken out', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.array(fc.nat(20)), fc.integer(), (added, removed, seed) => {
      const list = new PickableList<number>();
      const places = new Map<number, number>();
      for (const item of new Set(added)) places.set(item, list.add(item));
      for (const item of new Set(removed)) {
        const place = places.get(item);
        if (place === undefined) continue;
        const moved = list.deleteAt(place);
        if (moved !== undefined) places.set(moved, place);
        places.delete(item);
      }
      const expected = [...places.keys()].sort();
      assert.deepEqual([...list.shuffled(seeded(seed))].sort(), expected);
      assert.equal(list.size, expected.length);
    }),
  );
});

test('a sample is what a shuffle would give first, without those that are out', () => {
  const sizes = fc.nat(30);
  fc.assert(
    fc.property(sizes, sizes, sizes, fc.nat(), (size, count, draws, seed) => {
      const list = new PickableList<number>();
      for (let item = 0; item < size; item++) list.add(item);
      const isOut = (item: number): boolean => item % 3 === 0;
      const expected = [...list.shuffled(seeded(seed))].slice(0, draws).filter((item) => !isOut(item));
      assert.deepEqual(list.sample(count, seeded(seed), isOut, draws), expected.slice(0, count));
    }),
  );
});
