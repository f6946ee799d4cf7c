/** What versions of the kit leave behind in the browser's storage. */
import { ASSET_CACHE } from '../protocol/asset-cache.ts';
import { DOCUMENT_CACHE } from './documents.ts';

const OURS = /^p2p-elements(-|$)/;

/** Those without a number hold what each version reads. */
const PRESENT = new Set(['p2p-elements', ASSET_CACHE, DOCUMENT_CACHE]);

/** Caches that this version does not read any more. */
export async function dropOldCaches(caches: CacheStorage): Promise<void> {
  for (const name of await caches.keys()) if (OURS.test(name) && !PRESENT.has(name)) await caches.delete(name);
}

/** The site has given the kit up: nothing of it stays, and requests do not come by here any more. */
export async function removeAll({ registration, caches, indexedDB }: ServiceWorkerGlobalScope): Promise<void> {
  await registration.unregister();
  for (const name of await caches.keys()) if (OURS.test(name)) await caches.delete(name);
  indexedDB.deleteDatabase('p2p-elements');
}
