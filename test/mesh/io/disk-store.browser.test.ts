import { clear, createStore, get, set } from 'idb-keyval';
import { expect } from 'chai';
import type { StoredAsset } from '../../../mesh/core/ports.ts';
import { systemClock } from '../../../mesh/io/clock.ts';
import { DiskStore, type DiskPorts } from '../../../mesh/io/disk-store.ts';
import { createSha256 } from '../../../mesh/io/sha256.ts';
import { ASSET_CACHE, assetKey, nameOfKey } from '../../../protocol/asset-cache.ts';
import { nameOf } from '../../../protocol/digest.ts';
import type { Digest } from '../../../protocol/ids.ts';

const sha256 = createSha256();
const uses = createStore('p2p-elements', 'uses');

async function assetOf(seed: number, size = 1000): Promise<StoredAsset> {
  const body = Uint8Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) & 255);
  const { digest, leaves } = await nameOf(body, sha256);
  return { digest, size, body, leaves, contentType: 'image/png' };
}

interface Opened {
  readonly store: DiskStore;
  readonly lost: Digest[];
  readonly troubles: string[];
}

/** Opens the store as each visit does, on the browser's own storage. */
async function open(cap: number | null = null, more: Partial<DiskPorts> = {}): Promise<Opened> {
  const lost: Digest[] = [];
  const troubles: string[] = [];
  // It may lose something before it is given.
  let store: DiskStore | null = null;
  store = await DiskStore.open(
    {
      caches,
      estimate: () => Promise.resolve({ quota: 1e12 }),
      sha256,
      clock: systemClock,
      today: () => Date.now(),
      losing: (digests) => {
        for (const digest of digests) expect(store?.has(digest) ?? true).to.equal(true);
        lost.push(...digests);
      },
      needed: new Set(),
      others: new BroadcastChannel(crypto.randomUUID()),
      trouble: (what) => troubles.push(what),
      ...more,
    },
    cap,
  );
  return { store, lost, troubles };
}

const keys = async (): Promise<string[]> => {
  const cache = await caches.open(ASSET_CACHE);
  return (await cache.keys()).map(({ url }) => nameOfKey(url)?.digest ?? url);
};

describe('DiskStore', () => {
  beforeEach(async () => {
    await caches.delete(ASSET_CACHE);
    await clear(uses);
  });

  it('is empty after it was cleared, also for the next visit', async () => {
    const { store, lost } = await open();
    const assets = [await assetOf(1), await assetOf(2)];
    for (const asset of assets) void store.put(asset);
    await store.settled();
    expect(await keys()).to.have.length(2);
    await store.clear();
    expect(lost).to.have.members(assets.map(({ digest }) => digest));
    expect([await keys(), store.size]).to.deep.equal([[], 0]);
    expect((await open()).store.has(assets[0]!.digest)).to.equal(false);
  });

  it('gives back what was put, also to the next visit', async () => {
    const asset = await assetOf(1, 200_000);
    const first = await open();
    await first.store.put(asset);
    for (const { store } of [first, await open()]) {
      expect(store.has(asset.digest)).to.equal(true);
      expect(store.size).to.equal(200_000);
      expect(await store.read(asset.digest)).to.deep.equal(asset);
    }
  });

  it('knows nothing of what was never put', async () => {
    const { store } = await open();
    const { digest } = await assetOf(1);
    expect(store.has(digest)).to.equal(false);
    expect(await store.read(digest)).to.equal(undefined);
  });

  it('is never over its cap; the least recently used goes first, told before it does', async () => {
    const { store, lost } = await open(3000);
    const assets = await Promise.all([1, 2, 3, 5].map((seed) => assetOf(seed)));
    const [a, b, c, d] = assets as [StoredAsset, StoredAsset, StoredAsset, StoredAsset];
    for (const asset of [a, b, c]) await store.put(asset);
    await store.read(a.digest);
    await store.put(d);
    expect(lost).to.deep.equal([b.digest]);
    expect(store.size).to.equal(3000);
    expect(new Set(await keys())).to.deep.equal(new Set([a.digest, c.digest, d.digest]));
  });

  it('lets what is needed go last', async () => {
    const [a, b, c, d] = await Promise.all([1, 2, 3, 5].map((seed) => assetOf(seed)));
    const { store, lost } = await open(3000, { needed: new Set([a!.digest, b!.digest]) });
    for (const asset of [a, b, c, d]) await store.put(asset!);
    expect(lost).to.deep.equal([c!.digest]);
    await store.put(await assetOf(7, 2500));
    expect(lost).to.deep.equal([c!.digest, d!.digest, a!.digest, b!.digest]);
  });

  it('shrinks when it is opened with a smaller cap: the least recently used goes first, told before it does', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map((seed) => assetOf(seed)));
    const first = await open();
    await Promise.all([a, b, c].map((asset) => first.store.put(asset!)));
    await set(b!.digest, 1, uses);
    await set(c!.digest, 2, uses);
    const { store, lost } = await open(2500);
    await store.settled();
    expect([lost, store.size, store.has(a!.digest)]).to.deep.equal([[a!.digest], 2000, false]);
    expect(await keys()).to.have.members([b!.digest, c!.digest]);
  });

  it('gives nothing up again that it has told to be lost, while it goes', async () => {
    const assets = await Promise.all([1, 2, 3].map((seed) => assetOf(seed)));
    const { store, lost } = await open(3000);
    await Promise.all(assets.map((asset) => store.put(asset)));
    const has = (): boolean[] => assets.map(({ digest }) => store.has(digest));
    const putting = store.put(await assetOf(5, 3000));
    while (lost.length === 0) await Promise.resolve();
    expect(has()).to.deep.equal([false, false, false]);
    await putting;
  });

  it('shares its cap with other engines that write there too', async () => {
    const name = crypto.randomUUID();
    const stores = [1, 2].map(async () => (await open(4000, { others: new BroadcastChannel(name) })).store);
    const [a, b] = await Promise.all(stores);
    const assets = await Promise.all([1, 2, 3, 5, 7, 9, 11, 13].map((seed) => assetOf(seed)));
    for (const [index, asset] of assets.entries()) {
      const [writer, other] = index % 2 === 0 ? [a!, b!] : [b!, a!];
      await writer.put(asset);
      await until(async () => other.has(asset.digest));
      await other.settled();
      expect((await keys()).length).to.be.within(1, 4);
      expect(await other.read(asset.digest)).to.deep.equal(asset);
    }
  });

  it('keeps nothing with a cap of 0, also of what was there', async () => {
    const [a, b] = await Promise.all([1, 2].map((seed) => assetOf(seed)));
    await (await open()).store.put(a!);
    const { store, lost } = await open(0);
    await store.put(b!);
    expect([lost, store.size, await keys()]).to.deep.equal([[a!.digest], 0, []]);
  });

  it('is never over its cap when all is put at once', async () => {
    const { store } = await open(2500);
    const assets = await Promise.all([1, 2, 3, 5, 7].map((seed) => assetOf(seed)));
    await Promise.all(assets.map((asset) => store.put(asset)));
    expect(store.size).to.equal(2000);
    expect(await keys()).to.have.length(2);
  });

  it('takes no more than a share of what the browser gives', async () => {
    const { store } = await open(null, { estimate: () => Promise.resolve({ quota: 3000 }) });
    await store.put(await assetOf(1));
    await store.put(await assetOf(2));
    expect(store.size).to.equal(1000);
  });

  it('does not take what is larger than all of it', async () => {
    const { store, lost } = await open(1500);
    const small = await assetOf(1);
    await store.put(small);
    await store.put(await assetOf(2, 2000));
    expect([store.has(small.digest), lost]).to.deep.equal([true, []]);
  });

  it('remembers across visits what was used last', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map((seed) => assetOf(seed)));
    let today = 1;
    const kept: (() => void)[] = [];
    const clock = {
      now: () => 0,
      after: (_: number, run: () => void) => {
        kept.push(run);
        return () => undefined;
      },
    };
    const more = { today: () => today, clock };
    for (const asset of [a, b]) {
      const { store } = await open(2000, more);
      await store.put(asset!);
      for (const keep of kept.splice(0)) keep();
      today++;
    }
    const { store } = await open(2000, more);
    await store.read(a!.digest);
    for (const keep of kept.splice(0)) keep();
    await until(async () => (await get(a!.digest, uses)) === 3);
    const later = await open(2000, more);
    await later.store.put(c!);
    expect(later.lost).to.deep.equal([b!.digest]);
  });

  it('makes its index anew when the times of use are gone or spoilt', async () => {
    const asset = await assetOf(1);
    await (await open()).store.put(asset);
    await clear(uses);
    await set('no digest', 'no time', uses);
    const { store } = await open();
    expect(await store.read(asset.digest)).to.deep.equal(asset);
  });

  it('forgets a body that was spoilt, and one that was taken away', async () => {
    const [spoilt, gone] = await Promise.all([1, 2].map((seed) => assetOf(seed)));
    const { store, lost } = await open();
    for (const asset of [spoilt!, gone!]) await store.put(asset);
    const cache = await caches.open(ASSET_CACHE);
    await cache.put(assetKey(spoilt!), new Response(new Uint8Array(1000)));
    await cache.delete(assetKey(gone!));
    for (const { digest } of [spoilt!, gone!]) {
      expect(await store.read(digest)).to.equal(undefined);
      expect(store.has(digest)).to.equal(false);
    }
    expect(lost).to.deep.equal([spoilt!.digest, gone!.digest]);
    expect([store.size, await keys()]).to.deep.equal([0, []]);
  });

  it('leaves alone what is not its own', async () => {
    const cache = await caches.open(ASSET_CACHE);
    await cache.put('/something/else', new Response('x'));
    const { store } = await open();
    expect(store.size).to.equal(0);
  });

  it('makes room where the browser gives less than it said, and works on where it gives nothing', async () => {
    const [a, b] = await Promise.all([1, 2].map((seed) => assetOf(seed)));
    let room = 1;
    const real = await caches.open(ASSET_CACHE);
    const scarce = {
      keys: () => real.keys(),
      match: (key: string) => real.match(key),
      delete: async (key: string) => {
        room++;
        return real.delete(key);
      },
      put: async (key: string, response: Response) => {
        if (room === 0) throw new DOMException('full', 'QuotaExceededError');
        room--;
        await real.put(key, response);
      },
    };
    const { store, lost, troubles } = await open(null, { caches: { open: () => Promise.resolve(scarce) } as never });
    await store.put(a!);
    await store.put(b!);
    expect([lost, store.has(b!.digest), troubles]).to.deep.equal([[a!.digest], true, ['write']]);
    room = -Infinity;
    scarce.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    await store.put(a!);
    expect([store.has(a!.digest), store.size]).to.deep.equal([false, 0]);
  });
});

async function until(wanted: () => Promise<boolean>): Promise<void> {
  while (!(await wanted())) await new Promise((resolve) => requestAnimationFrame(resolve));
}
