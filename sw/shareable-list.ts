/** Which URLs may be asked for, and which pages have the kit. Kept in the Cache API, for the browser may end the worker at any moment. */
import { MAX_PAGES } from './limits.ts';

const CACHE = 'p2p-elements';
const KEY = '/p2p-elements/shareable.json';

interface Kept {
  readonly urls: readonly string[];
  readonly pages: readonly string[];
}

export class ShareableList {
  #urls = new Set<string>();
  #pages = new Set<string>();
  #known = false;
  readonly loaded: Promise<void>;
  readonly #caches: CacheStorage;

  constructor(storage: CacheStorage) {
    this.#caches = storage;
    this.loaded = this.#load();
  }

  /** Null: not read from the cache yet; wait for `loaded` and ask again. */
  has(url: string): boolean | null {
    const end = url.indexOf('#');
    return this.#known ? this.#urls.has(end < 0 ? url : url.slice(0, end)) : null;
  }

  hasPage(path: string): boolean {
    return this.#pages.has(path);
  }

  /** A page with the kit told what its manifest lists; an empty list says nothing about other pages. */
  async update(path: string, urls: readonly string[]): Promise<void> {
    await this.loaded;
    if (urls.length > 0) this.#urls = new Set(urls);
    this.#pages.delete(path);
    this.#pages.add(path);
    this.#pages = new Set([...this.#pages].slice(-MAX_PAGES));
    await this.#keep();
  }

  /** The page has the kit no more. */
  async forgetPage(path: string): Promise<void> {
    if (this.#pages.delete(path)) await this.#keep();
  }

  async #keep(): Promise<void> {
    const kept: Kept = { urls: [...this.#urls], pages: [...this.#pages] };
    try {
      const cache = await this.#caches.open(CACHE);
      await cache.put(KEY, new Response(JSON.stringify(kept)));
    } catch {
      // No storage (private mode, quota): the next start of the worker knows nothing, and asks nobody.
    }
  }

  async #load(): Promise<void> {
    try {
      const cache = await this.#caches.open(CACHE);
      const kept = (await (await cache.match(KEY))?.json()) as Kept | undefined;
      if (kept) {
        this.#urls = new Set(kept.urls);
        this.#pages = new Set(kept.pages);
      }
    } catch {
      // As above.
    }
    this.#known = true;
  }
}
