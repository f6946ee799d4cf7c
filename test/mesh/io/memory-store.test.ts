import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { StoredAsset } from '../../../mesh/core/ports.ts';
import { MemoryStore } from '../../../mesh/io/memory-store.ts';
import type { Digest } from '../../../protocol/ids.ts';

const stored = (digest: string, size: number): StoredAsset => ({
  digest: digest as Digest,
  size,
  body: new Uint8Array(size),
  leaves: new Uint8Array(32),
  contentType: '',
});
const digest = (text: string): Digest => text as Digest;

/** Puts an asset. @returns what had to go for it, which was still there when that was said */
function put(store: MemoryStore, asset: StoredAsset): readonly Digest[] {
  let lost: readonly Digest[] = [];
  store.listen((digests) => {
    assert.ok(digests.every((each) => store.has(each)));
    lost = digests;
  });
  store.put(asset);
  assert.equal(
    lost.some((each) => store.has(each)),
    false,
  );
  return lost;
}

test('what was put is had again', async () => {
  const store = new MemoryStore(100);
  const asset = stored('a', 50);
  assert.deepEqual(put(store, asset), []);
  assert.equal(store.get(digest('a')), asset);
  assert.equal(await store.read(digest('a')), asset);
  assert.deepEqual([store.has(digest('a')), store.has(digest('b')), store.get(digest('b'))], [true, false, undefined]);
});

test('the least recently used goes first, and only as much as is needed', () => {
  const store = new MemoryStore(100);
  for (const name of ['a', 'b', 'c']) store.put(stored(name, 30));
  store.get(digest('a'));
  assert.deepEqual(put(store, stored('d', 40)), ['b']);
  assert.deepEqual(put(store, stored('e', 100)), ['c', 'a', 'd']);
});

test('what is needed goes last, the least recently used of it first', () => {
  const store = new MemoryStore(100);
  for (const name of ['a', 'b', 'c', 'd']) store.put(stored(name, 25));
  for (const name of ['a', 'b', 'c']) store.needed.add(digest(name));
  assert.deepEqual(put(store, stored('e', 25)), ['d']);
  assert.deepEqual(put(store, stored('f', 50)), ['e', 'a']);
  store.needed.clear();
  assert.deepEqual(put(store, stored('g', 25)), ['b']);
});

test('a look whether something is there is no use of it', () => {
  const store = new MemoryStore(60);
  for (const name of ['a', 'b']) store.put(stored(name, 30));
  store.has(digest('a'));
  assert.deepEqual(put(store, stored('c', 30)), ['a']);
});

test('an empty body, and one larger than the store, are not taken and drive nothing out', () => {
  const store = new MemoryStore(100);
  store.put(stored('a', 100));
  assert.deepEqual([put(store, stored('b', 0)), put(store, stored('c', 101))], [[], []]);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => store.has(digest(name))),
    [true, false, false],
  );
});

test('the same asset twice takes its place once', () => {
  const store = new MemoryStore(100);
  for (let i = 0; i < 5; i++) store.put(stored('a', 50));
  assert.deepEqual(put(store, stored('b', 50)), []);
});

test('it never holds more than its cap, and forgets nothing but what it names', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.nat(60))), (puts) => {
      const store = new MemoryStore(100);
      const model = new Map<string, number>();
      for (const [name, size] of puts) {
        const had = model.has(name);
        for (const gone of put(store, stored(name, size))) assert.ok(model.delete(gone));
        if (!had && size > 0) model.set(name, size);
        for (const known of 'abcdef') assert.equal(store.has(digest(known)), model.has(known));
        assert.ok([...model.values()].reduce((sum, each) => sum + each, 0) <= 100);
      }
    }),
  );
});

test('all of it is thrown away, and told before', async () => {
  const store = new MemoryStore(100);
  store.put(stored('a', 60));
  const lost: Digest[] = [];
  store.listen((digests) => {
    assert.ok(digests.every((each) => store.has(each)));
    lost.push(...digests);
  });
  await store.clear();
  assert.deepEqual([lost, store.has(digest('a'))], [['a'], false]);
  store.put(stored('b', 100));
  assert.equal(store.has(digest('b')), true, 'there is room again');
});
