/**
 * Assets without a digest that the page lets be shared all the same (`verify="none"`): looked for by the keys of their URLs, in memory only, in a
 * swarm of their own. What a neighbour gives is held against what it named, so it is all of one body; that the body is the origin's is its
 * word. A module of its own, for few pages want it. Owned by Assets.
 */
import { byUrlDigest, nameOf, urlKey } from '../../protocol/digest.ts';
import { isForAll, isPlaylist } from '../../protocol/by-url.ts';
import { isAssetSize, type AssetName, type Digest, type Sha256, type SwarmId } from '../../protocol/ids.ts';
import type { BroughtAnswer } from '../../protocol/page.ts';
import { MAX_BY_URL_BYTES } from '../../protocol/limits.ts';
import { withoutFragment } from '../../protocol/without-fragment.ts';
import { BRINGING_FOR_MS, MAX_BY_URL_FRESH_MS, QUEUED_PATIENCE_MS } from '../core/limits.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { Changes } from './changes.ts';
import type { Crossings } from './crossings.ts';
import { addTo, NamesByUrl, type FreshName } from './names-by-url.ts';
import type { Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';
import { readBody, type CountedFetch } from './origin-door.ts';
import type { SharedTransfers, Use } from './shared-transfers.ts';
import type { Wanted } from './wanted.ts';

/** How long an answer may be given on, ms (RFC 9111); 0: not at all. */
export type FreshFor = (url: string, headers: Readonly<Record<string, string>>) => number;

export interface ByUrlPorts {
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly store: Store;
  readonly neighbours: Neighbours;
  readonly crossings: Crossings;
  readonly changes: Changes;
  readonly origin: CountedFetch;
  readonly transfers: Pick<SharedTransfers, 'take'>;
  readonly freshFor: FreshFor;
  readonly countStoreBytes: (bytes: number) => void;
  /** Where they are looked for. */
  readonly swarm: SwarmId;
}

/** What is asked for. */
export interface ByUrlQuestion {
  readonly url: string;
  /** When it is needed, and when the first of them was asked for, on the clock. */
  readonly neededAt: number;
  readonly startedAt: number;
  /** Does who asks bring it itself, if it has to come from the origin? */
  readonly bringsItself: boolean;
}

/** Who is to be given it. */
export interface BodyTaker {
  readonly progress: (loaded: number, total: number) => void;
  readonly use: Use;
}

/** What came. */
export interface ByUrlAsset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly source: 'store' | 'peers' | 'origin' | 'mixed';
  /** Where it is not the origin's answer of just now. */
  readonly digest?: Digest;
  /** Is it offered to neighbours? */
  readonly shared: boolean;
  readonly url: string;
}

/** What we are to bring from the origin, ourselves or by who asked. */
interface Bringing {
  readonly since: number;
  /** It is here, or does not come. */
  readonly end: () => void;
}

export class ByUrl {
  readonly #ports: ByUrlPorts;
  readonly #names: NamesByUrl;
  /** By the keys of URLs. */
  readonly #bringing = new Map<Digest, Bringing>();
  /** Not to be shared, as the origin's headers said. */
  readonly #private = new Set<Digest>();

  constructor(ports: ByUrlPorts) {
    this.#ports = ports;
    this.#names = new NamesByUrl(ports);
  }

  get swarm(): SwarmId {
    return this.#ports.swarm;
  }

  /** @returns `brings`: it is the asker's turn; null: it is the page's alone, and is to be had as the page would have had it */
  async load(
    { url, neededAt, startedAt, bringsItself }: ByUrlQuestion,
    taker: BodyTaker,
    signal: AbortSignal,
  ): Promise<ByUrlAsset | 'brings' | null> {
    const key = await this.#keyOf(url);
    if (this.#private.has(key) || isPlaylist(new URL(url).pathname)) return null;
    const contentType = typeOf(url);
    const wanted = (name: AssetName): Wanted => ({
      url,
      name,
      range: null,
      swarm: this.#ports.swarm,
      contentType,
      neededAt,
      startedAt,
    });
    const found = await this.#find(key, wanted({ digest: key, size: 0, urlKey: key }), signal);
    if ('digest' in found) {
      const { digest, size } = found;
      const own = await this.#stored(found, url, taker);
      return own ?? this.#take(wanted({ digest, size, urlKey: key }), found, taker, signal);
    }
    if (bringsItself) return 'brings';
    try {
      return await this.#bring(key, url, taker, signal);
    } finally {
      found.end();
    }
  }

  /** What an asker brought that was told to. `private`: it is not for others; null: it did not come. */
  async brought(url: string, answer: BroughtAnswer | 'private' | null): Promise<void> {
    const key = await this.#keyOf(url);
    if (answer === 'private') addTo(this.#private, key);
    else if (answer) await this.#offer(key, url, new Uint8Array(answer.body), answer);
    this.#bringing.get(key)?.end();
  }

  #keyOf(url: string): Promise<Digest> {
    return urlKey(withoutFragment(url), this.#ports.sha256);
  }

  /** What is there, as soon as somebody has it, or our turn to bring it. */
  async #find(key: Digest, wanted: Wanted, signal: AbortSignal): Promise<FreshName | Bringing> {
    const { crossings, neighbours, changes, clock, store } = this.#ports;
    const turn = crossings.turn(wanted);
    let bringer: Neighbour | undefined;
    for (;;) {
      signal.throwIfAborted();
      const own = this.#names.own(key);
      if (own && store.has(own.digest)) return own;
      const found = this.#names.best(key);
      if (found) return found;
      const patience = this.#patience(key, wanted.neededAt);
      const before = bringer;
      bringer = neighbours.open.find((neighbour) => neighbour.sameSite && neighbour.queuedAt(key) !== undefined);
      if (bringer && bringer !== before) turn.promised(bringer);
      // It may not be shared, or who brought it is gone.
      if (before && !bringer) turn.gaveNothing(before.open);
      const at = Math.max(patience, turn.mayCrossAt());
      if (at <= clock.now()) {
        turn.crosses();
        return this.#begin(key);
      }
      await changes.next(at - clock.now(), signal);
    }
  }

  /** Until when we wait for another asker of ours that is to bring it, on the clock: a service worker may be ended before it could tell. */
  #patience(key: Digest, neededAt: number): number {
    const bringing = this.#bringing.get(key);
    return bringing ? Math.min(bringing.since + QUEUED_PATIENCE_MS, neededAt) : 0;
  }

  /** Null: it is not ours, or had to go. */
  async #stored(name: FreshName, url: string, { use }: BodyTaker): Promise<ByUrlAsset | null> {
    const { store, countStoreBytes } = this.#ports;
    const stored = await store.read(name.digest);
    if (stored?.urlKey !== name.urlKey) return null;
    countStoreBytes(stored.size);
    use('store', stored.size);
    const { body } = stored;
    const contentType = stored.contentType || typeOf(url);
    return { body, contentType, source: 'store', digest: name.digest, shared: true, url };
  }

  /** From neighbours; null: the origin has something else by now. */
  async #take(wanted: Wanted, found: FreshName, taker: BodyTaker, signal: AbortSignal): Promise<ByUrlAsset | null> {
    const { store, transfers } = this.#ports;
    const got = await transfers.take(wanted, signal, taker);
    if (!got.leaves) {
      this.#names.isWrong(found);
      return null;
    }
    const { url, contentType } = wanted;
    // The origin says anew whether it is for others, and for how long: it is asked again by who wants it next.
    const shared = store.has(found.digest) && got.origin === null;
    if (shared) this.#names.hold(found);
    return {
      body: got.body,
      contentType: contentType || (got.origin?.contentType ?? ''),
      source: got.source,
      digest: found.digest,
      shared,
      url,
    };
  }

  /** From the origin, for others too; null: it is for the page alone, which may be given something else. */
  async #bring(
    key: Digest,
    url: string,
    { progress, use }: BodyTaker,
    signal: AbortSignal,
  ): Promise<ByUrlAsset | null> {
    const over = new AbortController();
    const request = { url, range: null, credentials: 'omit', signal: AbortSignal.any([signal, over.signal]) } as const;
    const response = await this.#ports.origin(request, (bytes) => use('origin', bytes));
    if (response.status !== 200 || !response.shareable || !isForOthers(url, response)) {
      over.abort();
      addTo(this.#private, key);
      return null;
    }
    const body = await readBody(url, response, (_, have) => progress(have, response.size ?? 0));
    const shared = await this.#offer(key, url, body, response);
    return { body, contentType: response.contentType, source: 'origin', shared, url: response.url };
  }

  /** Keeps the origin's answer in memory and tells it, for as long as it is fresh. */
  async #offer(
    key: Digest,
    url: string,
    body: Uint8Array<ArrayBuffer>,
    answer: Omit<BroughtAnswer, 'body'>,
  ): Promise<boolean> {
    const { clock, freshFor, store, sha256 } = this.#ports;
    const { contentType, headers } = answer;
    const fresh = Math.min(MAX_BY_URL_FRESH_MS, freshFor(url, headers));
    if (fresh <= 0 || !isForOthers(url, answer) || !isAssetSize(body.length) || body.length > MAX_BY_URL_BYTES)
      return false;
    const { leaves, digest: content, size } = await nameOf(body, sha256);
    const digest = await byUrlDigest(key, { digest: content, size }, sha256);
    store.put({ digest, size, urlKey: key, body, leaves, contentType });
    if (store.has(digest)) this.#names.hold({ digest, size, urlKey: key, content, until: clock.now() + fresh });
    return store.has(digest);
  }

  /** Tells the others of the site. */
  #begin(key: Digest): Bringing {
    const { clock, changes, neighbours, swarm } = this.#ports;
    neighbours.announcements.queued(swarm, [key]);
    const bringing: Bringing = {
      since: clock.now(),
      end: () => {
        cancel();
        if (this.#bringing.get(key) !== bringing) return;
        this.#bringing.delete(key);
        neighbours.announcements.lost(swarm, key);
        changes.notify();
      },
    };
    const cancel = clock.after(BRINGING_FOR_MS, bringing.end);
    this.#bringing.set(key, bringing);
    return bringing;
  }
}

const isForOthers = (url: string, { contentType, headers }: Omit<BroughtAnswer, 'body'>): boolean =>
  isForAll(new URL(url).pathname, {
    status: 200,
    redirected: false,
    headers: { get: (name) => (name === 'content-type' ? contentType : (headers[name] ?? null)) },
  });

/** A media type is never a neighbour's word. '': unknown, and the browser looks at the bytes. */
const TYPES: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  mp4: 'video/mp4',
  webm: 'video/webm',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  vtt: 'text/vtt',
};

const typeOf = (url: string): string => TYPES[/\.(\w+)$/.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? ''] ?? '';
