/**
 * Owns the digests and leaves of all files under the media folder: hashes a file when first asked, remembers the result as long as the
 * file stays as it is. Used by playlists, the manifest and the leaves endpoint.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import createDebug from 'debug';
import { blockCount, digestOfLeaves } from '../../protocol/digest.ts';
import { isAssetSize, type AssetName, type Digest } from '../../protocol/ids.ts';
import { BLOCK_BYTES, HASH_BYTES, MAX_PART_BYTES } from '../../protocol/limits.ts';
import { HASH_ATTEMPTS, HASH_CONCURRENCY, MAX_HASHED_FILES, MAX_LEAVES_BYTES, RACY_MS, SETTLE_MS } from '../limits.ts';
import { sha256 } from '../sha256.ts';
import { hashFile, statFile, versionOf, type FileRange, type HashedFile } from './hash-file.ts';
import { Lru } from '../lru.ts';
import { WorkQueue, type Job } from './work-queue.ts';

const debug = createDebug('p2p:server:digests');

export interface FileDigest {
  /** Bytes. */
  readonly size: number;
  /** The file as one asset; undefined above 64 MiB. */
  readonly whole: AssetName | undefined;
  /** The file in parts of 16 MiB; one part if it is not larger. */
  readonly parts: readonly Digest[];
}

export interface DigestRequest {
  /** A client waits for it. */
  readonly urgent?: boolean;
  /** Give no digest of a file that was touched in the last 300 ms: wait until then, and see whether it has settled. */
  readonly settled?: boolean;
}

/** What is hashed: a file, or a range of it. */
interface Source {
  readonly path: string;
  readonly range?: FileRange | undefined;
}

/** No path has a NUL. */
const keyOf = ({ path, range }: Source): string => (range ? `${path}\0${range.start}-${range.end}` : path);

interface Entry {
  readonly version: string;
  readonly digest: FileDigest;
}

interface Flight {
  readonly result: Promise<FileDigest | undefined>;
  readonly job: Job;
}

export class Digests {
  readonly #entries = new Lru<string, Entry>(MAX_HASHED_FILES, (key, entry) => this.#forget(key, entry));
  readonly #leaves = new Lru<Digest, Uint8Array<ArrayBuffer>>(MAX_LEAVES_BYTES);
  readonly #sources = new Map<Digest, Source>();
  readonly #flights = new Map<string, Flight>();
  readonly #queue = new WorkQueue(HASH_CONCURRENCY);
  readonly #closing = new AbortController();
  readonly #now: () => number;
  readonly #onHashed: (bytes: number, milliseconds: number) => void;
  /** Files hashed so far, for tests and logs. */
  hashed = 0;

  /** @param onHashed told of each file that was hashed: its bytes, and how long that took */
  constructor(now: () => number = Date.now, onHashed: (bytes: number, milliseconds: number) => void = () => undefined) {
    this.#now = now;
    this.#onHashed = onHashed;
    setMaxListeners(Infinity, this.#closing.signal); // Each file that has yet to settle is one.
  }

  /**
   * Digest of what is in the file now.
   * @param path absolute
   * @returns undefined if there is no such file, it is empty, or it does not stop changing
   */
  of(path: string, request?: DigestRequest): Promise<FileDigest | undefined> {
    return this.#of({ path }, request);
  }

  /** The asset that a file is, or a range of it. Undefined also where that is too large, or the file ends before the range does. */
  async nameOf(path: string, range?: FileRange, request?: DigestRequest): Promise<AssetName | undefined> {
    return (await this.#of({ path, range }, request))?.whole;
  }

  async #of(source: Source, { urgent = false, settled = false }: DigestRequest = {}): Promise<FileDigest | undefined> {
    const { path } = source;
    let stats = await statFile(path);
    if (stats !== undefined && settled) {
      const age = this.#now() - Math.max(stats.mtimeMs, stats.ctimeMs);
      if (age >= 0 && age < SETTLE_MS) {
        const version = versionOf(stats);
        await delay(SETTLE_MS - age, undefined, { signal: this.#closing.signal });
        stats = await statFile(path);
        if (stats !== undefined && versionOf(stats) !== version) return undefined;
      }
    }
    if (stats === undefined || stats.size === 0) {
      this.#entries.delete(keyOf(source));
      return undefined;
    }
    const known = this.#entries.get(keyOf(source));
    const version = versionOf(stats);
    return known?.version === version ? known.digest : this.#flight(source, version, urgent);
  }

  /** The leaves of a file, part or playlist whose digest was given out; undefined if there is none such any more. */
  async leaves(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const kept = this.#leaves.get(digest);
    if (kept !== undefined) return kept;
    const source = this.#sources.get(digest);
    if (source === undefined) return undefined;
    // others may ask for it meanwhile, so nothing is forgotten before it is hashed anew
    const stats = await statFile(source.path);
    if (stats !== undefined && stats.size > 0) await this.#flight(source, versionOf(stats), true);
    return this.#leaves.get(digest);
  }

  /** Remembers the leaves of a body made by the server (a playlist with its tags). */
  keepLeaves(digest: Digest, leaves: Uint8Array<ArrayBuffer>): void {
    this.#leaves.set(digest, leaves, leaves.length);
  }

  /** Ends all hashing; what still waits for a digest is rejected with an AbortError. */
  close(): void {
    this.#closing.abort();
  }

  #flight(source: Source, version: string, urgent: boolean): Promise<FileDigest | undefined> {
    const key = `${version} ${keyOf(source)}`;
    const running = this.#flights.get(key);
    if (running !== undefined) {
      if (urgent) this.#queue.hurry(running.job);
      return running.result;
    }
    const { promise: result, resolve, reject } = promiseWithResolvers<FileDigest | undefined>();
    const work = (): Promise<void> =>
      this.#hash(source)
        .then(resolve, reject)
        .finally(() => this.#flights.delete(key));
    this.#flights.set(key, { result, job: this.#queue.add(work, urgent) });
    return result;
  }

  async #hash(source: Source): Promise<FileDigest | undefined> {
    const { path, range } = source;
    for (let attempt = 1; attempt <= HASH_ATTEMPTS; attempt++) {
      const startedAt = this.#now();
      const file = await hashFile(path, this.#closing.signal, range);
      if (file !== undefined) return this.#remember(source, file, startedAt);
      const stats = await statFile(path);
      if (stats === undefined || (range && stats.size < range.end)) break;
      debug('%s changed while it was hashed (attempt %d)', path, attempt);
    }
    this.#entries.delete(keyOf(source));
    return undefined;
  }

  async #remember(source: Source, file: HashedFile, startedAt: number): Promise<FileDigest> {
    this.hashed++;
    this.#onHashed(file.size, this.#now() - startedAt);
    const { digest, pieces } = await digestsOf(file);
    const [, mtime = 0, ctime = 0] = file.version.split(':').map(Number);
    this.#entries.set(keyOf(source), {
      version: startedAt - Math.max(mtime, ctime) < RACY_MS ? 'racy' : file.version,
      digest,
    });
    // after the entry: setting it forgets the digests that the source had before, which may be the same ones
    for (const piece of pieces) {
      this.#leaves.set(piece.digest, piece.leaves, piece.leaves.length);
      this.#sources.set(piece.digest, source);
    }
    return digest;
  }

  #forget(key: string, { digest }: Entry): void {
    for (const name of namesOf(digest)) {
      const source = this.#sources.get(name);
      if (source && keyOf(source) === key) this.#sources.delete(name);
    }
  }
}

const namesOf = ({ whole, parts }: FileDigest): readonly Digest[] =>
  whole === undefined ? parts : [whole.digest, ...parts];

/** All assets that a file can be: itself, and its parts. */
async function digestsOf({
  size,
  leaves,
}: HashedFile): Promise<{ digest: FileDigest; pieces: { digest: Digest; leaves: Uint8Array<ArrayBuffer> }[] }> {
  const partLeaves = (MAX_PART_BYTES / BLOCK_BYTES) * HASH_BYTES;
  const pieces = await Promise.all(
    Array.from({ length: Math.ceil(size / MAX_PART_BYTES) }, async (_, index) => {
      const partSize = Math.min(MAX_PART_BYTES, size - index * MAX_PART_BYTES);
      const start = index * partLeaves;
      const own = leaves.slice(start, start + blockCount(partSize) * HASH_BYTES);
      return { digest: await digestOfLeaves(partSize, own, sha256), leaves: own };
    }),
  );
  const parts = pieces.map((piece) => piece.digest);
  const [only] = pieces;
  if (!isAssetSize(size)) return { digest: { size, whole: undefined, parts }, pieces };
  if (pieces.length === 1 && only !== undefined)
    return { digest: { size, whole: { digest: only.digest, size }, parts }, pieces };
  const whole = { digest: await digestOfLeaves(size, leaves, sha256), size };
  return { digest: { size, whole, parts }, pieces: [...pieces, { digest: whole.digest, leaves }] };
}

/** Promise.withResolvers, which Node has since version 22. */
function promiseWithResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
