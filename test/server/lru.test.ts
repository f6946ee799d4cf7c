import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lru } from '../../server/lru.ts';

test('what was not used for longest is forgotten first', () => {
  const forgotten: string[] = [];
  const lru = new Lru<string, number>(2, (key) => forgotten.push(key));
  lru.set('a', 1);
  lru.set('b', 2);
  assert.equal(lru.get('a'), 1);
  lru.set('c', 3);
  assert.deepEqual(forgotten, ['b']);
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c')], [1, undefined, 3]);
});

test('something heavier than the capacity is not kept, and pushes out the rest', () => {
  const lru = new Lru<string, number>(10);
  lru.set('a', 1, 4);
  lru.set('b', 2, 11);
  assert.equal(lru.size, 0);
});

test('setting a key again replaces its weight', () => {
  const lru = new Lru<string, number>(10);
  lru.set('a', 1, 9);
  lru.set('a', 2, 1);
  lru.set('b', 3, 9);
  assert.deepEqual([lru.get('a'), lru.get('b')], [2, 3]);
});

test('the weight never exceeds the capacity, and whatever was set last and fits is there', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 12 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const kept = new Map<number, number>();
      const lru = new Lru<number, number>(10, (key) => kept.delete(key));
      for (const [key, weight] of steps) {
        kept.delete(key);
        const before = new Map(kept);
        kept.set(key, weight);
        lru.set(key, weight, weight);
        if (before.has(key)) kept.set(key, weight);
        assert.equal(lru.get(key), weight <= 10 ? weight : undefined);
      }
      assert.ok(
        [...kept.keys()]
          .filter((key) => lru.get(key) !== undefined)
          .reduce((sum, key) => sum + (lru.get(key) ?? 0), 0) <= 10,
      );
    }),
  );
});
