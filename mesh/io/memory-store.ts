import type { Digest } from '../../protocol/ids.ts';
import { toDrop } from '../core/to-drop.ts';
import type { Store, StoredAsset } from '../core/ports.ts';

/** Assets in memory, within a cap in bytes. */
export class MemoryStore implements Store {
  readonly ready = Promise.resolve();
  readonly needed = new Set<Digest>();
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
    const gone = toDrop(this.#assets, this.#size + asset.body.length - this.#capacity, this.needed);
    if (gone.length > 0) this.#losing(gone.map(({ digest }) => digest));
    for (const { digest, size } of gone) {
      this.#assets.delete(digest);
      this.#size -= size;
    }
    this.#assets.set(asset.digest, asset);
    this.#size += asset.body.length;
  }

  listen(losing: (digests: readonly Digest[]) => void): void {
    this.#losing = losing;
  }
}
