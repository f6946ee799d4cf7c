import { MAX_QUERY_VARIANTS, NEW_PLAYLISTS_AT_ONCE, NEW_PLAYLISTS_PER_SECOND } from './limits.ts';

/**
 * How many playlists strangers may bring in: so many a second, and of one path so many that differ in their query alone. What a playlist that is
 * known lists does not come through here.
 */
export class NewPlaylists {
  /** URLs by what stands before the query. */
  readonly #variants = new Map<string, Set<string>>();
  #tokens = NEW_PLAYLISTS_AT_ONCE;
  #countedAt: number;

  /** @param now milliseconds since 1970 */
  constructor(now: number) {
    this.#countedAt = now;
  }

  /** @param mayGo is nobody waiting for this playlist, so that another may have its place? @returns what has to go for it, if anything; false: it may not come in now */
  admit(url: string, now: number, mayGo: (url: string) => boolean): { readonly instead: string | null } | false {
    this.#refill(now);
    const path = pathOf(url);
    const variants = this.#variants.get(path) ?? new Set();
    const instead = variants.size < MAX_QUERY_VARIANTS ? null : ([...variants].find(mayGo) ?? false);
    if (instead === false || this.#tokens < 1) return false;
    this.#tokens--;
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

  #refill(now: number): void {
    const passed = Math.max(0, now - this.#countedAt);
    this.#countedAt = now;
    this.#tokens = Math.min(NEW_PLAYLISTS_AT_ONCE, this.#tokens + (passed / 1000) * NEW_PLAYLISTS_PER_SECOND);
  }
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;
