/**
 * Assets without a digest that the page lets be shared all the same (`verify="none"`): looked for by the key of their URL, in memory only, in a swarm
 * of their own. What a neighbour names by a URL is checked against its own name, so all of one peer's blocks are of one body; that the
 * body is the origin's is its word. A module of its own, for few pages want it. Owned by Assets.
 */
import { nameOf, urlKey } from '../../protocol/digest.ts';
import { isAssetSize, type AssetName, type Digest, type Sha256, type SwarmId } from '../../protocol/ids.ts';
import type { BroughtAnswer } from '../../protocol/page.ts';
import { withoutFragment } from '../../protocol/without-fragment.ts';
import { MAX_BY_URL_BYTES, MAX_NAMES_PER_FRAME } from '../../protocol/limits.ts';
import { BRINGING_FOR_MS, MAX_BY_URL_FRESH_MS, MAX_PRIVATE } from '../core/limits.ts';
import type { Clock, Store } from '../core/ports.ts';
import type { Changes } from './changes.ts';
import type { Crossings } from './crossings.ts';
import type { FreshName, Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';
import { readBody, type CountedFetch } from './origin-door.ts';
import type { SharedTransfers, Use } from './shared-transfers.ts';
import type { Wanted } from './wanted.ts';

/** How long a shared cache may give an answer on, ms (RFC 9111); 0: not at all. */
export type FreshFor = (url: string, status: number, headers: Readonly<Record<string, string>>) => number;

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
  /** Is it offered to neighbours? */
  readonly shared: boolean;
  readonly url: string;
}

export class ByUrl {
  readonly #ports: ByUrlPorts;
  /** What we hold, by the key of its URL. */
  readonly #own = new Map<Digest, FreshName>();
  /** What we bring from the origin. The functions end it. */
  readonly #bringing = new Map<Digest, () => void>();
  /** Not to be shared, as the origin's headers said. */
  readonly #private = new Set<Digest>();
  /** The origin gives something else by now, or it was never so. */
  readonly #wrong = new Set<Digest>();

  constructor(ports: ByUrlPorts) {
    this.#ports = ports;
    ports.neighbours.announcements.introduce = (neighbour, swarm) => {
      if (swarm === ports.swarm) this.#sendNames(neighbour, [...this.#own.values()]);
    };
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
    const wanted = (name: AssetName): Wanted => ({
      url,
      name,
      range: null,
      swarm: this.#ports.swarm,
      contentType: typeOf(url),
      neededAt,
      startedAt,
    });
    for (;;) {
      if (this.#private.has(key) || isPlaylist(url, '')) return null;
      const found = await this.#find(key, wanted({ digest: key, size: 0, urlKey: key }), signal);
      if (!found) break;
      const { until: _, ...name } = found;
      const asset = await this.#take(wanted(name), found, taker, signal);
      if (asset) return asset;
    }
    const end = this.#begin(key);
    if (bringsItself) return 'brings';
    try {
      return await this.#bring(key, url, taker, signal);
    } finally {
      end();
    }
  }

  /** What an asker brought that was told to; null: it may not be shared. */
  async brought(url: string, answer: BroughtAnswer | null): Promise<void> {
    const key = await this.#keyOf(url);
    if (answer) await this.#offer(key, url, new Uint8Array(answer.body), answer);
    else this.#isPrivate(key);
    this.#bringing.get(key)?.();
  }

  #keyOf(url: string): Promise<Digest> {
    return urlKey(withoutFragment(url), this.#ports.sha256);
  }

  /** Who has it, as soon as somebody does; null: we are to bring it. */
  async #find(key: Digest, wanted: Wanted, signal: AbortSignal): Promise<FreshName | null> {
    const { crossings, neighbours, changes, clock } = this.#ports;
    const turn = crossings.turn(wanted);
    let bringer: Neighbour | undefined;
    for (;;) {
      signal.throwIfAborted();
      const found = this.#own.get(key) ?? this.#namedByMost(key);
      if (found) return found;
      if (this.#bringing.has(key)) {
        await changes.next(BRINGING_FOR_MS, signal);
        continue;
      }
      const before = bringer;
      bringer = neighbours.open.find((neighbour) => neighbour.sameSite && neighbour.queuedAt(key) !== undefined);
      if (bringer && bringer !== before) turn.promised(bringer);
      // It may not be shared, or who brought it is gone.
      if (before && !bringer) turn.gaveNothing(before.open);
      const at = turn.mayCrossAt();
      if (at <= clock.now()) {
        turn.crosses();
        return null;
      }
      await changes.next(at - clock.now(), signal);
    }
  }

  /** Of several bodies that neighbours name so, that of which most say so; then that of our own site. */
  #namedByMost(key: Digest): FreshName | undefined {
    const votes = new Map<Digest, { readonly name: FreshName; count: number }>();
    const { neighbours, clock } = this.#ports;
    const bySite = [...neighbours.open].sort((a, b) => Number(b.sameSite) - Number(a.sameSite));
    for (const neighbour of bySite) {
      const name = neighbour.named.get(key);
      if (!name || name.until <= clock.now() || !neighbour.holds(name.digest)) continue;
      if (this.#wrong.has(name.digest) || name.size > MAX_BY_URL_BYTES) continue;
      const vote = votes.get(name.digest) ?? { name, count: 0 };
      vote.count++;
      votes.set(name.digest, vote);
    }
    const most = Math.max(...[...votes.values()].map(({ count }) => count));
    return [...votes.values()].find(({ count }) => count === most)?.name;
  }

  /** From the store, else from neighbours; null: it is not what that name said. */
  async #take(
    wanted: Wanted,
    { urlKey: key, until }: FreshName,
    taker: BodyTaker,
    signal: AbortSignal,
  ): Promise<ByUrlAsset | null> {
    const { store, transfers } = this.#ports;
    const { url, contentType, swarm, name } = wanted;
    const stored = await store.read(name.digest);
    if (stored) {
      taker.use('store', stored.size);
      return { body: stored.body, contentType: stored.contentType || contentType, source: 'store', shared: true, url };
    }
    this.#own.delete(key); // It was, perhaps, and had to go.
    const got = await transfers.take(wanted, signal, taker);
    if (!got.leaves) {
      this.#wrong.add(name.digest);
      return null;
    }
    this.#hold(swarm, { ...name, urlKey: key, until });
    return {
      body: got.body,
      contentType: contentType || (got.origin?.contentType ?? ''),
      source: got.source,
      shared: store.has(name.digest),
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
    if (response.status !== 200 || !response.shareable || !isShown(url, response.contentType)) {
      over.abort();
      this.#isPrivate(key);
      return null;
    }
    const body = await readBody(url, response, (_, have) => progress(have, response.size ?? 0));
    const { contentType } = response;
    const shared = await this.#offer(key, url, body, response);
    return { body, contentType, source: 'origin', shared, url: response.url };
  }

  /** Keeps the origin's answer in memory and tells it, for as long as it is fresh. */
  async #offer(
    key: Digest,
    url: string,
    body: Uint8Array<ArrayBuffer>,
    { contentType, headers }: Omit<BroughtAnswer, 'body'>,
  ): Promise<boolean> {
    const { clock, freshFor, store, sha256, swarm } = this.#ports;
    const fresh = Math.min(MAX_BY_URL_FRESH_MS, freshFor(url, 200, headers));
    const isRight = isShown(url, contentType) && isAssetSize(body.length) && body.length <= MAX_BY_URL_BYTES;
    if (fresh <= 0 || !isRight) {
      this.#isPrivate(key);
      return false;
    }
    const { leaves, ...name } = await nameOf(body, sha256, key);
    store.put({ ...name, body, leaves, contentType });
    if (store.has(name.digest)) this.#hold(swarm, { ...name, urlKey: key, until: clock.now() + fresh });
    return store.has(name.digest);
  }

  /** Until it is stale. */
  #hold(swarm: SwarmId, name: FreshName): void {
    const { clock, neighbours } = this.#ports;
    this.#own.set(name.urlKey, name);
    for (const [neighbour] of neighbours.announcements.listeners(swarm)) this.#sendNames(neighbour, [name]);
    neighbours.announcements.hold(swarm, name.digest);
    clock.after(name.until - clock.now(), () => {
      if (this.#own.get(name.urlKey) === name) this.#own.delete(name.urlKey);
      neighbours.announcements.lose([name.digest]);
    });
  }

  #sendNames(neighbour: Neighbour, names: readonly FreshName[]): void {
    const { clock, neighbours, swarm: home } = this.#ports;
    const swarm = neighbours.announcements.keyOf(home);
    const fresh = names.map(({ until, ...name }) => ({ ...name, freshFor: until - clock.now() }));
    for (let i = 0; swarm !== undefined && i < fresh.length; i += MAX_NAMES_PER_FRAME)
      neighbour.send({ type: 'named', swarm, names: fresh.slice(i, i + MAX_NAMES_PER_FRAME) });
  }

  /** Tells the others of the site. @returns to be called when it is here, or does not come */
  #begin(key: Digest): () => void {
    const { clock, changes, neighbours, swarm } = this.#ports;
    neighbours.announcements.queued(swarm, [key]);
    const end = (): void => {
      cancel();
      if (this.#bringing.get(key) !== end) return;
      this.#bringing.delete(key);
      neighbours.announcements.lost(swarm, key);
      changes.notify();
    };
    // A service worker may be ended before it could tell.
    const cancel = clock.after(BRINGING_FOR_MS, end);
    this.#bringing.set(key, end);
    return end;
  }

  #isPrivate(key: Digest): void {
    this.#private.add(key);
    if (this.#private.size > MAX_PRIVATE) for (const oldest of this.#private) if (this.#private.delete(oldest)) break;
  }
}

/** Only what is shown or heard: a page of HTML in an image's place is not for others. */
const SHOWN = /^(image|audio|video)\/|^text\/vtt\b|^application\/octet-stream\b/i;

const isShown = (url: string, contentType: string): boolean => SHOWN.test(contentType) && !isPlaylist(url, contentType);

/** They change, and say what else is loaded. */
const isPlaylist = (url: string, contentType: string): boolean =>
  /mpegurl|dash\+xml/i.test(contentType) || /\.(m3u8?|mpd)$/i.test(new URL(url).pathname);

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
