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

test('a sample has each item at most once, none that is out, and as many as are asked for if so many are there', () => {
  const sizes = fc.nat(120);
  fc.assert(
    fc.property(sizes, fc.nat(12), fc.nat(), (size, count, seed) => {
      const list = new PickableList<number>();
      for (let item = 0; item < size; item++) list.add(item);
      const isOut = (item: number): boolean => item % 3 === 0;
      const sample = list.sample(count, seeded(seed), isOut);
      const inside = [...list.shuffled(seeded(1))].filter((item) => !isOut(item));
      assert.equal(sample.length, Math.min(count, inside.length));
      assert.equal(new Set(sample).size, sample.length);
      assert.ok(sample.every((item) => inside.includes(item)));
      assert.equal(list.size, size);
    }),
  );
});

for (const size of [10, 100])
  test(`a sample of ${size} has each item as often as any other`, () => {
    const list = new PickableList<number>();
    for (let item = 0; item < size; item++) list.add(item);
    const times = new Array<number>(size).fill(0);
    const random = seeded(5);
    for (let round = 0; round < 2000 * size; round++)
      for (const item of list.sample(5, random, (other) => other === 0)) times[item]!++;
    const expected = (5 * 2000 * size) / (size - 1);
    assert.equal(times[0], 0);
    // five standard deviations
    const most = 5 * Math.sqrt(expected);
    for (const count of times.slice(1)) assert.ok(Math.abs(count - expected) < most, `${count}, not ${expected}`);
  });

test('no more draws are made than may be', () => {
  for (const size of [5, 100]) {
    const list = new PickableList<number>();
    for (let item = 0; item < size; item++) list.add(item);
    let draws = 0;
    const drawn = list.sample(
      3,
      () => (draws++, 0.5),
      () => true,
      4,
    );
    assert.deepEqual([drawn, draws], [[], 4]);
  }
});
