import assert from 'node:assert/strict';
import test from 'node:test';
import { DISK_OPEN_AFTER_MS, STORE_WAIT_MS } from '../../../mesh/core/limits.ts';
import type { StoredAsset } from '../../../mesh/core/ports.ts';
import { AssetStore } from '../../../mesh/io/asset-store.ts';
import type { DiskStore } from '../../../mesh/io/disk-store.ts';
import { MemoryStore } from '../../../mesh/io/memory-store.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { VirtualClock } from '../world/virtual-clock.ts';

const asset = (name: string, size = 60): StoredAsset => ({
  digest: name as Digest,
  size,
  body: new Uint8Array(size),
  leaves: new Uint8Array(32),
  contentType: '',
});
const digest = (name: string): Digest => name as Digest;

/** A disk that the test looks into. */
class FakeDisk {
  readonly kept = new Map<Digest, StoredAsset>();
  reads = 0;
  /** How many it had when it was asked whether all is written. */
  settledWith = -1;
  readonly uses: Digest[] = [];
  losing: (digests: readonly Digest[]) => void = () => undefined;

  has(name: Digest): boolean {
    return this.kept.has(name);
  }

  async read(name: Digest): Promise<StoredAsset | undefined> {
    this.reads++;
    return this.kept.get(name);
  }

  async put(each: StoredAsset): Promise<void> {
    this.kept.set(each.digest, each);
  }

  used(name: Digest): void {
    this.uses.push(name);
  }

  async settled(): Promise<void> {
    this.settledWith = this.kept.size;
  }

  async clear(): Promise<void> {
    for (const name of this.kept.keys()) this.drop(name);
  }

  drop(name: Digest): void {
    this.losing([name]);
    this.kept.delete(name);
  }
}

interface Opening {
  /** Did an earlier visit keep something? */
  readonly isUsed?: Promise<boolean>;
  readonly fails?: boolean;
  readonly disk?: FakeDisk;
}

function setUp({ isUsed = Promise.resolve(false), fails = false, disk = new FakeDisk() }: Opening = {}) {
  const clock = new VirtualClock();
  const lost: Digest[] = [];
  let opened = 0;
  const store = new AssetStore({
    clock,
    memory: new MemoryStore(100),
    isUsed: () => isUsed,
    openDisk: async (losing) => {
      opened++;
      if (fails) throw new DOMException('private', 'SecurityError');
      disk.losing = losing;
      return disk as unknown as DiskStore;
    },
  });
  store.listen((digests) => lost.push(...digests));
  return { clock, store, disk, lost, opened: () => opened };
}

test('the first visit is ready at once, and opens the disk some seconds after its first asset', async () => {
  const { clock, store, disk, opened } = setUp();
  await store.ready;
  await clock.advance(10 * DISK_OPEN_AFTER_MS);
  assert.equal(opened(), 0);
  store.put(asset('a'));
  await clock.advance(DISK_OPEN_AFTER_MS - 1);
  assert.equal(opened(), 0);
  await clock.advance(1);
  assert.deepEqual([opened(), [...disk.kept.keys()]], [1, ['a']]);
  store.put(asset('b'));
  await clock.advance(10 * DISK_OPEN_AFTER_MS);
  assert.deepEqual([opened(), [...disk.kept.keys()]], [1, ['a', 'b']]);
});

test('a later visit is ready when it knows what there is, and reads each asset from the disk once', async () => {
  const disk = new FakeDisk();
  await disk.put(asset('a'));
  const { store } = setUp({ isUsed: Promise.resolve(true), disk });
  await store.ready;
  assert.deepEqual([store.has(digest('a')), store.has(digest('b'))], [true, false]);
  assert.equal((await store.read(digest('a')))?.digest, 'a');
  assert.equal((await store.read(digest('a')))?.digest, 'a');
  assert.equal(disk.reads, 1);
});

test('a disk that does not open is waited for only so long', async () => {
  const { clock, store } = setUp({ isUsed: new Promise(() => undefined) });
  let isReady = false;
  void store.ready.then(() => (isReady = true));
  await clock.advance(STORE_WAIT_MS - 1);
  assert.equal(isReady, false);
  await clock.advance(1);
  assert.equal(isReady, true);
});

test('without storage there is memory', async () => {
  const { clock, store, lost } = setUp({ isUsed: Promise.resolve(true), fails: true });
  await store.ready;
  store.put(asset('a'));
  await clock.advance(DISK_OPEN_AFTER_MS);
  store.put(asset('b'));
  assert.deepEqual([store.has(digest('a')), store.has(digest('b')), lost], [false, true, ['a']]);
});

test('what memory drops and the disk has is not lost, and the other way round', async () => {
  const { clock, store, disk, lost } = setUp();
  store.put(asset('a'));
  await clock.advance(DISK_OPEN_AFTER_MS);
  store.put(asset('b'));
  await clock.advance(0);
  assert.deepEqual([lost, store.has(digest('a'))], [[], true]);
  disk.drop(digest('b'));
  assert.deepEqual([lost, store.has(digest('b'))], [[], true], 'still in memory');
  disk.drop(digest('a'));
  assert.deepEqual([lost, store.has(digest('a'))], [['a'], false]);
});

test('what both have not any more is not there', async () => {
  const { store } = setUp();
  assert.equal(await store.read(digest('a')), undefined);
});

test('what somebody else read counts as used, in memory and on the disk', async () => {
  const { clock, store, disk } = setUp();
  for (const [name, size] of [
    ['a', 40],
    ['b', 40],
  ] as const)
    store.put(asset(name, size));
  store.used(digest('a'));
  store.put(asset('c', 40));
  assert.deepEqual([store.has(digest('a')), store.has(digest('b'))], [true, false]);
  await clock.advance(DISK_OPEN_AFTER_MS);
  store.used(digest('a'));
  assert.deepEqual(disk.uses, ['a']);
});

test('who waits until all is kept has the disk opened at once', async () => {
  const { store, disk, opened } = setUp();
  await store.settled();
  assert.equal(opened(), 0, 'nothing was put');
  store.put(asset('a'));
  await store.settled();
  assert.deepEqual([opened(), disk.settledWith], [1, 1]);
});

test('all that is kept is thrown away, also what only an earlier visit left, and is told before', async () => {
  const disk = new FakeDisk();
  await disk.put(asset('old'));
  const { clock, store, lost } = setUp({ isUsed: Promise.resolve(true), disk });
  await store.ready;
  store.put(asset('new'));
  await store.clear();
  assert.deepEqual([...lost].sort(), ['new', 'old']);
  assert.deepEqual([store.has(digest('old')), store.has(digest('new')), disk.kept.size], [false, false, 0]);
  store.put(asset('next'));
  await clock.advance(DISK_OPEN_AFTER_MS);
  assert.deepEqual([...disk.kept.keys()], ['next']);
});

test('what was not written yet is not written after it was thrown away', async () => {
  const { clock, store, disk } = setUp();
  store.put(asset('a'));
  await store.clear();
  await clock.advance(2 * DISK_OPEN_AFTER_MS);
  assert.deepEqual([store.has(digest('a')), disk.kept.size], [false, 0]);
});
