/** What may be asked for, and which pages have the kit, as a page told last. Kept in the Cache API, for the browser may end the worker at any moment. */
import type { ShareableFile } from '../protocol/page.ts';
import { MAX_PAGES } from './limits.ts';

const CACHE = 'p2p-elements';
const KEY = '/p2p-elements/shareable-2.json';

interface Kept {
  readonly files: readonly ShareableFile[];
  readonly pages: readonly string[];
}

export class ShareableList {
  #files = new Map<string, ShareableFile>();
  #pages = new Set<string>();
  #known = false;
  readonly loaded: Promise<void>;
  readonly #caches: CacheStorage;

  constructor(storage: CacheStorage) {
    this.#caches = storage;
    this.loaded = this.#load();
  }

  /** Is a URL without fragment listed? Null: not read from the cache yet; wait for `loaded` and ask again. */
  has(url: string): boolean | null {
    return this.#known ? this.#files.has(url) : null;
  }

  /** What was told of a URL without fragment; undefined also before it is read from the cache. */
  find(url: string): ShareableFile | undefined {
    return this.#files.get(url);
  }

  hasPage(path: string): boolean {
    return this.#pages.has(path);
  }

  /** A page with the kit told what its manifest lists; an empty list says nothing about other pages. */
  async update(path: string, files: readonly ShareableFile[]): Promise<void> {
    await this.loaded;
    if (files.length > 0) this.#files = byUrl(files);
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
    const kept: Kept = { files: [...this.#files.values()], pages: [...this.#pages] };
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
        this.#files = byUrl(kept.files);
        this.#pages = new Set(kept.pages);
      }
    } catch {
      // As above.
    }
    this.#known = true;
  }
}

const byUrl = (files: readonly ShareableFile[]): Map<string, ShareableFile> =>
  new Map(files.map((file) => [file.url, file]));
