import { Lru } from '../lru.ts';
import {
  MAX_NEW_PLAYLIST_ADDRESSES,
  MAX_QUERY_VARIANTS,
  NEW_PLAYLISTS_AT_ONCE,
  NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS,
  NEW_PLAYLISTS_PER_SECOND,
  NEW_PLAYLISTS_PER_SECOND_PER_ADDRESS,
} from './limits.ts';

export interface Newcomer {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tells clients apart. */
  readonly from: string;
  /** Is nobody waiting for this playlist, so that another may have its place? */
  readonly mayGo: (url: string) => boolean;
}

/**
 * How many playlists strangers may bring in: so many a second in all, fewer of each address, so that one that makes them up leaves some to the others;
 * and of one path so many that differ in their query alone. What a playlist that is known lists does not come through here.
 */
export class NewPlaylists {
  /** URLs by what stands before the query. */
  readonly #variants = new Map<string, Set<string>>();
  readonly #all: Bucket;
  readonly #ofAddress = new Lru<string, Bucket>(MAX_NEW_PLAYLIST_ADDRESSES);

  /** @param now milliseconds since 1970 */
  constructor(now: number) {
    this.#all = new Bucket(NEW_PLAYLISTS_AT_ONCE, NEW_PLAYLISTS_PER_SECOND, now);
  }

  /** @returns what has to go for it, if anything; false: it may not come in now */
  admit(url: string, { now, from, mayGo }: Newcomer): { readonly instead: string | null } | false {
    const path = pathOf(url);
    const variants = this.#variants.get(path) ?? new Set();
    const instead = variants.size < MAX_QUERY_VARIANTS ? null : ([...variants].find(mayGo) ?? false);
    const own =
      this.#ofAddress.get(from) ??
      new Bucket(NEW_PLAYLISTS_AT_ONCE_PER_ADDRESS, NEW_PLAYLISTS_PER_SECOND_PER_ADDRESS, now);
    if (instead === false || !own.has(now) || !this.#all.has(now)) return false;
    own.take();
    this.#all.take();
    this.#ofAddress.set(from, own);
    if (instead !== null) variants.delete(instead);
    variants.add(url);
    this.#variants.set(path, variants);
    return { instead };
  }

  /** It is not remembered any more. */
  release(url: string): void {
    const path = pathOf(url);
    const variants = this.#variants.get(path);
    variants?.delete(url);
    if (variants?.size === 0) this.#variants.delete(path);
  }
}

/** A token bucket. */
class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  #tokens: number;
  #countedAt: number;

  /** @param now milliseconds */
  constructor(size: number, perSecond: number, now: number) {
    this.#size = size;
    this.#perSecond = perSecond;
    this.#tokens = size;
    this.#countedAt = now;
  }

  has(now: number): boolean {
    const passed = Math.max(0, now - this.#countedAt);
    this.#countedAt = now;
    this.#tokens = Math.min(this.#size, this.#tokens + (passed / 1000) * this.#perSecond);
    return this.#tokens >= 1;
  }

  take(): void {
    this.#tokens--;
  }
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;
