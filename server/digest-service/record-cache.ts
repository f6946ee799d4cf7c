import type { Digest } from '../../protocol/ids.ts';
import { Lru } from '../lru.ts';
import type { AssetRecord } from './asset-record.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import type { RecordFiles } from './record-files.ts';
import { keyOf } from './remote-asset.ts';

/** Bytes of a record beside its leaves and texts, about. */
const RECORD_OVERHEAD = 400;

/** Digests and leaves of assets of other origins: in memory, and on the disk where there is a folder for them. Both are bounded. */
export class RecordCache {
  readonly #files: RecordFiles | undefined;
  readonly #records: Lru<string, AssetRecord>;
  readonly #byDigest = new Map<Digest, AssetRecord>();

  /** @param capacity bytes in memory */
  constructor(files?: RecordFiles, capacity: number = MAX_RECORD_BYTES) {
    this.#files = files;
    this.#records = new Lru(capacity, (_, record) => {
      if (this.#byDigest.get(record.name.digest) === record) this.#byDigest.delete(record.name.digest);
    });
  }

  /** @param key of the asset */
  async get(key: string): Promise<AssetRecord | undefined> {
    const record = this.#records.get(key) ?? (await this.#files?.read(key));
    if (record && this.#records.get(key) === undefined) this.#remember(key, record);
    return record;
  }

  set(record: AssetRecord): void {
    this.#remember(keyOf(record.asset), record);
    void this.#files?.write(record);
  }

  delete(key: string): void {
    this.#records.delete(key);
    void this.#files?.delete(key);
  }

  async leaves(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (this.#byDigest.get(digest) ?? (await this.#files?.readByDigest(digest)))?.leaves;
  }

  #remember(key: string, record: AssetRecord): void {
    const { asset, leaves, etag = '', lastModified = '' } = record;
    const weight = leaves.length + asset.url.length + etag.length + lastModified.length + RECORD_OVERHEAD;
    this.#records.set(key, record, weight);
    if (this.#records.get(key) === record) this.#byDigest.set(record.name.digest, record);
  }
}
