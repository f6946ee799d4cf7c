/** Assets in memory, and behind it on the disk. One for each engine. */
import type { Digest } from '../../protocol/ids.ts';
import { DISK_OPEN_AFTER_MS, STORE_WAIT_MS } from '../core/limits.ts';
import type { Clock, Store, StoredAsset } from '../core/ports.ts';
import type { DiskStore } from './disk-store.ts';
import type { MemoryStore } from './memory-store.ts';

export interface AssetStorePorts {
  readonly clock: Clock;
  readonly memory: MemoryStore;
  /** Was anything kept by an earlier visit? */
  readonly isUsed: () => Promise<boolean>;
  /** Rejects where there is no storage. */
  readonly openDisk: (losing: (digests: readonly Digest[]) => void) => Promise<DiskStore>;
}

export class AssetStore implements Store {
  readonly ready: Promise<void>;
  readonly #ports: AssetStorePorts;
  #disk: DiskStore | null = null;
  #opening: Promise<void> | null = null;
  #isClosed = false;
  /** Put before the disk was open. */
  #unwritten: StoredAsset[] = [];
  #losing: (digests: readonly Digest[]) => void = () => undefined;

  constructor(ports: AssetStorePorts) {
    this.#ports = ports;
    ports.memory.listen((digests) => this.#losing(digests.filter((digest) => this.#disk?.has(digest) !== true)));
    const opened = ports.isUsed().then((isUsed) => (isUsed ? this.#open() : undefined));
    this.ready = Promise.race([
      opened.catch(() => undefined),
      new Promise<void>((resolve) => ports.clock.after(STORE_WAIT_MS, resolve)),
    ]);
  }

  get needed(): Set<Digest> {
    return this.#ports.memory.needed;
  }

  has(digest: Digest): boolean {
    return this.#ports.memory.has(digest) || this.#disk?.has(digest) === true;
  }

  async read(digest: Digest): Promise<StoredAsset | undefined> {
    const { memory } = this.#ports;
    const inMemory = memory.get(digest);
    if (inMemory) return inMemory;
    const asset = await this.#disk?.read(digest);
    if (asset) memory.put(asset);
    return asset;
  }

  used(digest: Digest): void {
    this.#ports.memory.used(digest);
    this.#disk?.used(digest);
  }

  put(asset: StoredAsset): void {
    this.#ports.memory.put(asset);
    if (asset.urlKey !== undefined) return; // Fresh today, and nobody's word but a neighbour's.
    if (this.#disk) void this.#disk.put(asset);
    else if (!this.#isClosed) {
      this.#unwritten.push(asset);
      // Nothing that the page shows waits for it.
      if (!this.#opening) this.#ports.clock.after(DISK_OPEN_AFTER_MS, () => void this.#open());
    }
  }

  async settled(): Promise<void> {
    if (this.#unwritten.length > 0) await this.#open();
    await this.#disk?.settled();
  }

  async clear(): Promise<void> {
    this.#unwritten = [];
    // What an earlier visit left goes too.
    if (await this.#ports.isUsed()) await this.#open();
    if (this.#isClosed && (await this.#ports.isUsed())) throw new Error('the disk can not be opened');
    await this.#disk?.clear();
    await this.#ports.memory.clear();
  }

  listen(losing: (digests: readonly Digest[]) => void): void {
    this.#losing = losing;
  }

  #open(): Promise<void> {
    const losing = (digests: readonly Digest[]): void =>
      this.#losing(digests.filter((digest) => !this.#ports.memory.has(digest)));
    this.#opening ??= this.#ports.openDisk(losing).then(
      (disk) => {
        this.#disk = disk;
        for (const asset of this.#unwritten.splice(0)) void disk.put(asset);
      },
      () => {
        this.#isClosed = true; // Memory alone, then.
        this.#unwritten = [];
      },
    );
    return this.#opening;
  }
}
