/** Pages and workers' scripts that the manifest lists, as the origin gave them, with all their headers: for when it is gone. */
import { MAX_DOCUMENTS } from './limits.ts';

const CACHE = 'p2p-elements-documents-1';

export class Documents {
  readonly #caches: CacheStorage;

  constructor(storage: CacheStorage) {
    this.#caches = storage;
  }

  /** Keeps a copy, unless the answer forbids that, is for one viewer (RFC 9111, 5.2.2) or is no page. */
  async keep(url: string, response: Response): Promise<void> {
    const { status, redirected, type, headers } = response;
    if (
      status !== 200 ||
      redirected ||
      type !== 'basic' ||
      /\b(private|no-store)\b/i.test(headers.get('cache-control') ?? '')
    )
      return;
    try {
      const cache = await this.#caches.open(CACHE);
      await cache.put(url, response);
      const keys = await cache.keys();
      for (const key of keys.slice(0, Math.max(0, keys.length - MAX_DOCUMENTS))) await cache.delete(key);
    } catch {
      // No storage (private mode, quota): it can't be had offline.
    }
  }

  has(url: string): Promise<boolean> {
    return this.find(url).then(Boolean);
  }

  find(url: string): Promise<Response | undefined> {
    return this.#caches.match(url, { cacheName: CACHE }).catch(() => undefined);
  }
}
