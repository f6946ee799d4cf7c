/**
 * Digests of assets of other origins: each is fetched and hashed once, by one request for all who ask, remembered, and asked about anew by its
 * validators when it is old. Owned by the DigestService.
 */
import createDebug from 'debug';
import { digestOfLeaves } from '../../protocol/digest.ts';
import type { AssetName, Digest } from '../../protocol/ids.ts';
import { isShareable } from '../../protocol/is-shareable.ts';
import { MAX_ASSET_BYTES } from '../../protocol/limits.ts';
import { Lru } from '../lru.ts';
import { sha256 } from '../sha256.ts';
import type { AssetRecord } from './asset-record.ts';
import { FairQueue } from './fair-queue.ts';
import { hashStream } from './hash-stream.ts';
import {
  ASSETS_AT_ONCE,
  ASSET_TIMEOUT_MS,
  FAILED_ASSET_MS,
  MAX_FRESH_MS,
  MAX_HEADER_BYTES,
  MAX_LISTED_ASSETS,
  MAX_WAITING_ASSETS,
  MIN_FRESH_MS,
  REFUSED_ASSET_MS,
} from './limits.ts';
import type { OriginAnswer, OriginReader } from './origin-reader.ts';
import type { RecordCache } from './record-cache.ts';
import { keyOf, type RemoteAsset } from './remote-asset.ts';

const debug = createDebug('p2p:server:digest-service');

/** What came of asking for a digest. */
export interface Found {
  /** null: the asset can't be had, or may not be shared. */
  readonly name: AssetName | null;
  /** From when on asking again may give something else, ms since 1970. */
  readonly until: number;
}

/** For whom an asset is fetched: owners take turns. What nobody wants any more when its turn comes is not fetched. */
export interface Owner {
  wants(key: string): boolean;
}

interface Flight {
  readonly found: Promise<Found>;
  readonly owners: Set<Owner>;
}

export interface AssetDigestsPorts {
  readonly reader: OriginReader;
  readonly cache: RecordCache;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class AssetDigests {
  readonly #ports: AssetDigestsPorts;
  readonly #queue = new FairQueue<Owner>(ASSETS_AT_ONCE, MAX_WAITING_ASSETS);
  readonly #flights = new Map<string, Flight>();
  /** What was not to be had, and until when it is not tried again. */
  readonly #refused = new Lru<string, number>(MAX_LISTED_ASSETS);
  /** Assets fetched and hashed so far, and asked about by their validators. */
  readonly counters = { hashed: 0, revalidated: 0, refused: 0 };

  constructor(ports: AssetDigestsPorts) {
    this.#ports = ports;
  }

  /** Assets that wait for their turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  leaves(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#ports.cache.leaves(digest);
  }

  /** Never rejects. */
  find(asset: RemoteAsset, owner: Owner): Promise<Found> {
    const key = keyOf(asset);
    const until = this.#refused.get(key) ?? 0;
    if (until > this.#ports.now()) return Promise.resolve({ name: null, until });
    const running = this.#flights.get(key);
    if (running) {
      running.owners.add(owner);
      return running.found;
    }
    const owners = new Set([owner]);
    const found = this.#start(asset, key, owner, owners).finally(() => this.#flights.delete(key));
    this.#flights.set(key, { found, owners });
    return found;
  }

  async #start(asset: RemoteAsset, key: string, owner: Owner, owners: ReadonlySet<Owner>): Promise<Found> {
    const record = await this.#ports.cache.get(key);
    if (record && record.freshUntil > this.#ports.now()) return { name: record.name, until: record.freshUntil };
    const later = (): Found => ({ name: null, until: this.#ports.now() + FAILED_ASSET_MS });
    return new Promise((done) => {
      const start = async (): Promise<void> => {
        const isWanted = [...owners].some((one) => one.wants(key));
        done(isWanted ? await this.#fetch(asset, key, record) : later());
      };
      if (!this.#queue.add(owner, start)) done(later());
    });
  }

  /** @param earlier what was known of it, and is old */
  async #fetch(asset: RemoteAsset, key: string, earlier: AssetRecord | undefined): Promise<Found> {
    const { reader, signal } = this.#ports;
    try {
      const answer = await reader.read({
        ...asset,
        etag: earlier?.etag,
        lastModified: earlier?.lastModified,
        followsRedirects: false, // who is redirected shares nothing: `isShareable`
        timeoutMs: ASSET_TIMEOUT_MS,
        signal,
      });
      try {
        return await this.#take(asset, key, answer, earlier);
      } finally {
        answer.cancel();
      }
    } catch (error) {
      debug('%s: %o', asset.url, error);
      // An origin that gives no answer contradicts nothing.
      const until = this.#ports.now() + FAILED_ASSET_MS;
      if (earlier) return { name: earlier.name, until };
      return this.#refuse(key, FAILED_ASSET_MS);
    }
  }

  async #take(asset: RemoteAsset, key: string, answer: OriginAnswer, earlier: AssetRecord | undefined): Promise<Found> {
    const freshUntil = this.#ports.now() + freshMs(answer.headers.get('cache-control') ?? '');
    if (answer.status === 304 && earlier) {
      this.counters.revalidated++;
      return this.#keep({ ...earlier, freshUntil });
    }
    if (answer.status >= 500) throw new Error(`status ${answer.status}`);
    if (!mayHaveDigest(asset, answer)) {
      this.#ports.cache.delete(key);
      return this.#refuse(key, answer.status >= 400 ? FAILED_ASSET_MS : REFUSED_ASSET_MS);
    }
    const length = asset.range ? asset.range.end - asset.range.start : undefined;
    const hashed = await hashStream(answer.body as AsyncIterable<Uint8Array>, length ?? MAX_ASSET_BYTES);
    if (hashed === undefined || (length !== undefined && hashed.size !== length)) {
      this.#ports.cache.delete(key);
      return this.#refuse(key, REFUSED_ASSET_MS);
    }
    this.counters.hashed++;
    const { size, leaves } = hashed;
    return this.#keep({
      asset,
      name: { digest: await digestOfLeaves(size, leaves, sha256), size },
      leaves,
      etag: validator(answer.headers.get('etag')),
      lastModified: validator(answer.headers.get('last-modified')),
      freshUntil,
    });
  }

  #keep(record: AssetRecord): Found {
    this.#ports.cache.set(record);
    return { name: record.name, until: record.freshUntil };
  }

  #refuse(key: string, milliseconds: number): Found {
    const until = this.#ports.now() + milliseconds;
    this.counters.refused++;
    this.#refused.set(key, until);
    return { name: null, until };
  }
}

/** What the design forbids to share has no digest; nor has what is not the part that was asked for, or is too large by its own word. */
function mayHaveDigest({ range }: RemoteAsset, { status, redirected, headers }: OriginAnswer): boolean {
  if (status !== (range ? 206 : 200) || !isShareable({ status, redirected, headers })) return false;
  const length = headers.get('content-length');
  if (length !== null && Number(length) > MAX_ASSET_BYTES) return false;
  if (!range) return true;
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(headers.get('content-range') ?? '') ?? [];
  return Number(first) === range.start && Number(last) === range.end - 1 && headers.get('content-encoding') === null;
}

/** Longer ones than any server makes are not kept. */
const validator = (value: string | null): string | undefined =>
  value === null || value.length > MAX_HEADER_BYTES / 16 ? undefined : value;

/** How long an answer with this Cache-Control is believed, ms. */
export function freshMs(cacheControl: string): number {
  if (/\bimmutable\b/i.test(cacheControl)) return MAX_FRESH_MS;
  const seconds = Number(/(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*"?(\d{1,9})/i.exec(cacheControl)?.[1] ?? 0);
  return Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, 1000 * seconds));
}
