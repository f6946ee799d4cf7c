/** Pages and workers' scripts that the manifest lists, as the origin gave them, with all their headers: for when it is gone. */
import { nameOf } from '../protocol/digest.ts';
import type { Sha256 } from '../protocol/ids.ts';
import type { ShareableFile } from '../protocol/page.ts';
import { MAX_DOCUMENTS } from './limits.ts';

export const DOCUMENT_CACHE = 'p2p-elements-documents-1';

export class Documents {
  readonly #caches: CacheStorage;
  readonly #sha256: Sha256;

  constructor(storage: CacheStorage, sha256: Sha256) {
    this.#caches = storage;
    this.#sha256 = sha256;
  }

  /**
   * Keeps a copy, unless the answer forbids that, is for one viewer (RFC 9111, 5.2.2), is no page, or is not what the manifest lists: so what depends on
   * a cookie or a query without saying so is not kept.
   */
  async keep(file: ShareableFile, response: Response): Promise<void> {
    try {
      if (!mayBeKept(response) || file.parts.length !== 1 || !(await this.#isListed(file, response.clone()))) return;
      const cache = await this.#caches.open(DOCUMENT_CACHE);
      await cache.put(file.url, response);
      const keys = await cache.keys();
      for (const key of keys.slice(0, Math.max(0, keys.length - MAX_DOCUMENTS))) await cache.delete(key);
    } catch {
      // No storage (private mode, quota): it can't be had offline.
    } finally {
      // Else the browser would hold in memory what nobody reads.
      if (!response.bodyUsed) void response.body?.cancel().catch(() => undefined);
    }
  }

  /** Is it here as the manifest lists it now? */
  async has(file: ShareableFile): Promise<boolean> {
    const kept = await this.find(file.url);
    return kept !== undefined && this.#isListed(file, kept);
  }

  find(url: string): Promise<Response | undefined> {
    return this.#caches.match(url, { cacheName: DOCUMENT_CACHE }).catch(() => undefined);
  }

  async #isListed({ size, parts }: ShareableFile, response: Response): Promise<boolean> {
    const body = new Uint8Array(await response.arrayBuffer());
    return body.length === size && (await nameOf(body, this.#sha256)).digest === parts[0];
  }
}

const mayBeKept = ({ status, redirected, type, headers }: Response): boolean =>
  status === 200 &&
  !redirected &&
  type === 'basic' &&
  !/\b(private|no-store)\b/i.test(headers.get('cache-control') ?? '');
