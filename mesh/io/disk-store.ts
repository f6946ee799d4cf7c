/**
 * Assets in the Cache API, for the next visit. A body's key is its digest and size, so that the index is made anew from the keys; IndexedDB keeps
 * only when each was used last. Owned by an AssetStore.
 */
import { createStore, promisifyRequest } from 'idb-keyval';
import { ASSET_CACHE, assetHeaders, assetKey, nameOfKey } from '../../protocol/asset-cache.ts';
import { nameOf } from '../../protocol/digest.ts';
import type { AssetName, Digest, Sha256 } from '../../protocol/ids.ts';
import { DISK_BYTES, DISK_SHARE, USES_KEPT_AFTER_MS } from '../core/limits.ts';
import type { Clock, StoredAsset } from '../core/ports.ts';
import { toDrop } from '../core/to-drop.ts';

export interface DiskPorts {
  readonly caches: CacheStorage;
  readonly estimate: () => Promise<StorageEstimate>;
  readonly sha256: Sha256;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  /** Hears of what has to go, while it is still here. */
  readonly losing: (digests: readonly Digest[]) => void;
  /** What has to go last. */
  readonly needed: ReadonlySet<Digest>;
  /** To and from other engines of this browser that write here too: tabs that have not found each other, or want other things of the mesh. */
  readonly others: Pick<BroadcastChannel, 'postMessage' | 'onmessage'>;
  /** Hears of what went wrong; the store works on. */
  readonly trouble: (what: string, error: unknown) => void;
}

export class DiskStore {
  readonly #ports: DiskPorts;
  readonly #cache: Cache;
  /** In order of use: a Map iterates in the order in which keys were set. */
  readonly #names = new Map<Digest, AssetName>();
  /** When each was used last, milliseconds since 1970. */
  readonly #uses = createStore('p2p-elements', 'uses');
  readonly #touched = new Set<Digest>();
  #capacity: number;
  #size = 0;
  /** One change after the other, so that all of it is never more than the capacity. */
  #work: Promise<void> = Promise.resolve();

  /** @param cap bytes; null: DISK_BYTES @throws where there is no storage: a private window, a sandbox */
  static async open(ports: DiskPorts, cap: number | null): Promise<DiskStore> {
    const cache = await ports.caches.open(ASSET_CACHE);
    const { quota = Infinity } = await ports.estimate().catch((): StorageEstimate => ({}));
    const store = new DiskStore(ports, cache, Math.min(cap ?? DISK_BYTES, quota * DISK_SHARE));
    // What was taken away by others is found out by reading it; what came from them takes room.
    ports.others.onmessage = ({ data }: MessageEvent<AssetName>) =>
      void store.#inTurn(() => {
        store.#add(data);
        return store.#makeRoomFor(0);
      });
    await store.#readIndex();
    // An earlier visit may have had more.
    void store.#inTurn(() => store.#makeRoomFor(0));
    return store;
  }

  private constructor(ports: DiskPorts, cache: Cache, capacity: number) {
    this.#ports = ports;
    this.#cache = cache;
    this.#capacity = capacity;
  }

  /** Bytes of bodies. */
  get size(): number {
    return this.#size;
  }

  has(digest: Digest): boolean {
    return this.#names.has(digest);
  }

  /** Checked anew; what is not right any more, or was taken away, is forgotten. */
  async read(digest: Digest): Promise<StoredAsset | undefined> {
    const name = this.#names.get(digest);
    if (!name) return undefined;
    const { size } = name;
    try {
      const response = await this.#cache.match(assetKey(name));
      const body = new Uint8Array((await response?.arrayBuffer()) ?? new ArrayBuffer(0));
      const found = body.length === size ? await nameOf(body, this.#ports.sha256) : null;
      if (found?.digest === digest) {
        this.used(digest);
        return { digest, size, body, leaves: found.leaves, contentType: response?.headers.get('content-type') ?? '' };
      }
    } catch (error) {
      this.#ports.trouble('read', error);
    }
    await this.#inTurn(() => this.#drop([name]));
    return undefined;
  }

  /** Resolves when it is kept, or can't be. */
  put(asset: StoredAsset): Promise<void> {
    return this.#inTurn(() => this.#put(asset));
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#work;
  }

  clear(): Promise<void> {
    return this.#inTurn(() => this.#drop([...this.#names.values()]));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#ports.trouble('change', error));
    return this.#work;
  }

  async #put(asset: StoredAsset): Promise<void> {
    const { digest, size } = asset;
    if (this.has(digest) || size > this.#capacity) return;
    await this.#makeRoomFor(size);
    try {
      await this.#write(asset);
    } catch (error) {
      // The browser gives less than it said.
      this.#ports.trouble('write', error);
      this.#capacity = this.#size;
      if (size > this.#capacity) return;
      await this.#makeRoomFor(size);
      await this.#write(asset);
    }
    const name = { digest, size };
    this.#add(name);
    this.#ports.others.postMessage(name);
    this.used(digest);
  }

  #add(name: AssetName): void {
    if (this.has(name.digest)) return;
    this.#names.set(name.digest, name);
    this.#size += name.size;
  }

  #write(asset: StoredAsset): Promise<void> {
    const headers = assetHeaders(asset, asset.contentType);
    return this.#cache.put(assetKey(asset), new Response(asset.body, { headers }));
  }

  async #makeRoomFor(size: number): Promise<void> {
    const gone = toDrop(this.#names, this.#size + size - this.#capacity, this.#ports.needed);
    if (gone.length > 0) await this.#drop(gone);
  }

  async #drop(names: readonly AssetName[]): Promise<void> {
    const digests = names.map(({ digest }) => digest);
    this.#ports.losing(digests);
    // None of them is given, and so announced anew, while the others go.
    const gone = names.filter(({ digest }) => this.#names.delete(digest));
    for (const name of gone) {
      this.#touched.delete(name.digest);
      await this.#cache.delete(assetKey(name));
      this.#size -= name.size;
    }
    await this.#withUses((uses) => digests.map((digest) => uses.delete(digest)));
  }

  /** From the keys, those that were used last at the end. Without times they all count as equally old. */
  async #readIndex(): Promise<void> {
    const names = (await this.#cache.keys()).flatMap(({ url }): AssetName | [] => nameOfKey(url) ?? []);
    const uses = new Map<unknown, number>();
    await this.#withUses((store) => {
      const [keys, times] = [store.getAllKeys(), store.getAll()];
      times.onsuccess = () => keys.result.forEach((key, index) => uses.set(key, times.result[index] as number));
    });
    const usedAt = ({ digest }: AssetName): number => uses.get(digest) ?? 0;
    for (const name of names.sort((a, b) => usedAt(a) - usedAt(b))) this.#add(name);
  }

  /** It was given just now. */
  used(digest: Digest): void {
    const name = this.#names.get(digest);
    if (!name) return;
    this.#names.delete(digest);
    this.#names.set(digest, name);
    if (this.#touched.size === 0) this.#ports.clock.after(USES_KEPT_AFTER_MS, () => void this.#keepUses());
    this.#touched.add(digest);
  }

  async #keepUses(): Promise<void> {
    const now = this.#ports.today();
    const digests = [...this.#touched];
    this.#touched.clear();
    await this.#withUses((uses) => digests.map((digest) => uses.put(now, digest)));
  }

  /** In one transaction. Where there is none the store works on. */
  async #withUses(work: (uses: IDBObjectStore) => unknown): Promise<void> {
    try {
      await this.#uses('readwrite', (uses) => {
        work(uses);
        return promisifyRequest(uses.transaction);
      });
    } catch (error) {
      this.#ports.trouble('times of use', error);
    }
  }
}
