import type { Digest } from '../../protocol/ids.ts';
import type { Store, StoredAsset } from '../core/ports.ts';

/** Assets in memory, within a cap in bytes; the least recently used goes first. */
export class MemoryStore implements Store {
  readonly #capacity: number;
  /** In order of use: a Map iterates in the order in which keys were set. */
  readonly #assets = new Map<Digest, StoredAsset>();
  #size = 0;

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

  put(asset: StoredAsset): readonly Digest[] {
    if (asset.body.length === 0 || asset.body.length > this.#capacity || this.#assets.has(asset.digest)) return [];
    this.#assets.set(asset.digest, asset);
    this.#size += asset.body.length;
    const gone: Digest[] = [];
    for (const [digest, { body }] of this.#assets) {
      if (this.#size <= this.#capacity) break;
      this.#assets.delete(digest);
      this.#size -= body.length;
      gone.push(digest);
    }
    return gone;
  }
}
