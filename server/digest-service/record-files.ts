/**
 * Records on the disk: one file each, `<key>-<digest>`, so that a look at the folder tells what is there. Bounded, what was not used for longest goes
 * first; read with distrust, for a disk is outside of us. Owned by the RecordCache.
 */
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { MAX_ASSET_BYTES, BLOCK_BYTES, HASH_BYTES } from '../../protocol/limits.ts';
import type { Digest } from '../../protocol/ids.ts';
import { Lru } from '../lru.ts';
import type { Logger } from '../log.ts';
import { parseRecord, writeRecord, type AssetRecord } from './asset-record.ts';
import { DISK_BLOCK_BYTES, MAX_RECORD_HEAD_BYTES } from './limits.ts';
import { keyOf } from './remote-asset.ts';

const debug = createDebug('p2p:server:digest-cache');

const NAME = /^([0-9a-f]{64})-([0-9a-f]{64})(\.tmp)?$/;

const MAX_FILE_BYTES = MAX_RECORD_HEAD_BYTES + (MAX_ASSET_BYTES / BLOCK_BYTES) * HASH_BYTES;

/** Files looked at at a time when the folder is read. */
const STATS_AT_ONCE = 64;

interface Found {
  readonly key: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** When it was written, ms since 1970. */
  readonly at: number;
}

export class RecordFiles {
  readonly #folder: string;
  readonly #log: Logger;
  /** By key, the digest in the file's name. */
  readonly #known: Lru<string, Digest>;
  readonly #keys = new Map<Digest, string>();
  readonly #ready: Promise<void>;
  /** Changes go one after the other: a file that is dropped may be one that is just written anew. */
  #changes: Promise<void>;
  #hasWarned = false;

  /** @param capacity bytes */
  constructor(folder: string, capacity: number, log: Logger) {
    this.#folder = folder;
    this.#log = log;
    this.#known = new Lru(capacity, (key, digest) => this.#drop(key, digest));
    this.#ready = this.#readFolder().catch((error: unknown) => this.#warn(error));
    this.#changes = this.#ready;
  }

  /** Resolves when all that was asked for so far is on the disk. */
  async settled(): Promise<void> {
    await this.#changes;
  }

  async read(key: string): Promise<AssetRecord | undefined> {
    await this.#ready;
    const digest = this.#known.get(key);
    if (digest === undefined) return undefined;
    await this.#changes;
    const bytes = await readBounded(this.#path(key, digest)).catch(() => undefined);
    const record = bytes && (await parseRecord(bytes, key));
    if (record?.name.digest === digest) return record;
    debug('%s is gone or damaged', key);
    if (this.#known.get(key) === digest) this.#known.delete(key);
    return undefined;
  }

  async readByDigest(digest: Digest): Promise<AssetRecord | undefined> {
    await this.#ready;
    const key = this.#keys.get(digest);
    return key === undefined ? undefined : this.read(key);
  }

  async write(record: AssetRecord): Promise<void> {
    await this.#ready;
    const key = keyOf(record.asset);
    const bytes = writeRecord(record);
    if (bytes.length > MAX_FILE_BYTES) return;
    const { digest } = record.name;
    this.#known.set(key, digest, onDisk(bytes.length));
    this.#keys.set(digest, key);
    this.#change(async () => {
      if (this.#known.get(key) !== digest) return;
      const path = this.#path(key, digest);
      await writeFile(`${path}.tmp`, bytes, { mode: 0o600 });
      await rename(`${path}.tmp`, path);
    });
    await this.#changes;
  }

  async delete(key: string): Promise<void> {
    await this.#ready;
    this.#known.delete(key);
  }

  #drop(key: string, digest: Digest): void {
    if (this.#keys.get(digest) === key) this.#keys.delete(digest);
    this.#change(() => rm(this.#path(key, digest), { force: true }));
  }

  #change(work: () => Promise<void>): void {
    this.#changes = this.#changes.then(work).catch((error: unknown) => this.#warn(error));
  }

  /** What earlier runs left, the oldest first; what does not fit any more goes. Files that are not ours stay. */
  async #readFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#folder)).filter((name) => NAME.test(name));
    const found: Found[] = [];
    for (let next = 0; next < names.length; next += STATS_AT_ONCE) {
      const looks = names.slice(next, next + STATS_AT_ONCE).map((name) => this.#look(name));
      found.push(...(await Promise.all(looks)).flatMap((one) => one ?? []));
    }
    found.sort((a, b) => a.at - b.at);
    for (const { key, digest, bytes } of found) {
      this.#known.set(key, digest, onDisk(bytes));
      this.#keys.set(digest, key);
    }
    debug('%d records are on the disk', this.#known.size);
  }

  async #look(name: string): Promise<Found | undefined> {
    const [, key = '', digest = '', unfinished] = NAME.exec(name) ?? [];
    const path = join(this.#folder, name);
    if (unfinished !== undefined) {
      await rm(path, { force: true });
      return undefined;
    }
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile() !== true) return undefined;
    return { key, digest: digest as Digest, bytes: stats.size, at: stats.mtimeMs };
  }

  #path(key: string, digest: Digest): string {
    return join(this.#folder, `${key}-${digest}`);
  }

  /** A full or broken disk costs memory of earlier runs, nothing else. */
  #warn(error: unknown): void {
    if (this.#hasWarned) debug('%o', error);
    else this.#log.warn({ err: error, folder: this.#folder }, 'the digest cache can not be used as it should');
    this.#hasWarned = true;
  }
}

const onDisk = (bytes: number): number => Math.ceil(bytes / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES;

/** @returns undefined if the file is larger than any of ours */
async function readBounded(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return size > MAX_FILE_BYTES ? undefined : await file.readFile();
  } finally {
    await file.close();
  }
}
