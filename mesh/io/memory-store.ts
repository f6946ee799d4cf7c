import type { Digest } from '../../protocol/ids.ts';
import type { Store, StoredAsset } from '../core/ports.ts';

/** Assets in memory, within a cap in bytes; the least recently used goes first. */
export class MemoryStore implements Store {
  readonly ready = Promise.resolve();
  readonly #capacity: number;
  /** In order of use: a Map iterates in the order in which keys were set. */
  readonly #assets = new Map<Digest, StoredAsset>();
  #size = 0;
  #losing: (digests: readonly Digest[]) => void = () => undefined;

  /** @param capacity bytes of bodies */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(digest: Digest): StoredAsset | undefined {
    const asset = this.#assets.get(digest);
    if (asset) {
      this.#assets.delete(digest);
      this.#assets.set(digest, asset);
    }
    return asset;
  }

  has(digest: Digest): boolean {
    return this.#assets.has(digest);
  }

  async read(digest: Digest): Promise<StoredAsset | undefined> {
    return this.get(digest);
  }

  used(digest: Digest): void {
    this.get(digest);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#losing([...this.#assets.keys()]);
    this.#assets.clear();
    this.#size = 0;
    return Promise.resolve();
  }

  put(asset: StoredAsset): void {
    if (asset.body.length === 0 || asset.body.length > this.#capacity || this.#assets.has(asset.digest)) return;
    const gone: Digest[] = [];
    let size = this.#size + asset.body.length;
    for (const [digest, { body }] of this.#assets) {
      if (size <= this.#capacity) break;
      size -= body.length;
      gone.push(digest);
    }
    if (gone.length > 0) this.#losing(gone);
    for (const digest of gone) this.#assets.delete(digest);
    this.#assets.set(asset.digest, asset);
    this.#size = size;
  }

  listen(losing: (digests: readonly Digest[]) => void): void {
    this.#losing = losing;
  }
}
