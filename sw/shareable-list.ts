/** What may be asked for, and which pages have the kit, as a page told last. Kept in the Cache API, for the browser may end the worker at any moment. */
import type { ShareableFile } from '../protocol/page.ts';
import { MAX_PAGES, MAX_SILENT_PAGES, MAX_SILENT_VISITS } from './limits.ts';

const CACHE = 'p2p-elements';
const KEY = '/p2p-elements/shareable-2.json';

interface Kept {
  readonly files: readonly ShareableFile[];
  readonly pages: readonly string[];
  /** Of them those that let be shared what is not listed. Missing in what an older worker kept. */
  readonly unverified?: readonly string[];
  /** How many page visits in a row were without the kit, where it was to be expected. Missing in what an older worker kept. */
  readonly silent?: number;
}

export class ShareableList {
  #files = new Map<string, ShareableFile>();
  #pages = new Set<string>();
  #silent = 0;
  #unverified = new Set<string>();
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

  /** Does a page let images, films and sound be shared that are not listed? Without a path: any page. */
  sharesUnverified(path?: string): boolean {
    return path === undefined ? this.#unverified.size > 0 : this.#unverified.has(path);
  }

  /** A page says so, or not any more. */
  async noteUnverified(path: string, unverified: boolean): Promise<void> {
    await this.loaded;
    if (unverified === this.#unverified.has(path)) return;
    this.#unverified.delete(path);
    if (unverified) this.#unverified.add(path);
    this.#unverified = new Set([...this.#unverified].slice(-MAX_PAGES));
    await this.#keep();
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
    this.#silent = 0;
    await this.#keep();
  }

  /** The page has not got the kit, or not any more. That some pages never had it says nothing, as long as others have it. */
  async pageWithoutKit(path: string): Promise<void> {
    if (!this.#pages.delete(path) && this.#pages.size > 0) return;
    this.#silent++;
    await this.#keep();
  }

  /** Has the site no page with the kit any more? */
  get isUnused(): boolean {
    return this.#silent >= (this.#pages.size > 0 ? MAX_SILENT_PAGES : MAX_SILENT_VISITS);
  }

  async #keep(): Promise<void> {
    const kept: Kept = {
      files: [...this.#files.values()],
      pages: [...this.#pages],
      unverified: [...this.#unverified],
      silent: this.#silent,
    };
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
        this.#silent = kept.silent ?? 0;
        this.#unverified = new Set(kept.unverified);
      }
    } catch {
      // As above.
    }
    this.#known = true;
  }
}

const byUrl = (files: readonly ShareableFile[]): Map<string, ShareableFile> =>
  new Map(files.map((file) => [file.url, file]));
