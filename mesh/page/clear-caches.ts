import { ASSET_CACHE } from '../../protocol/asset-cache.ts';

/** Throws away what page and service worker keep. @param assets those too, which are else the engine's */
export async function clearCaches(assets: boolean): Promise<void> {
  // Typed as always there, but missing on plain HTTP.
  const storage = globalThis.caches as CacheStorage | undefined;
  for (const name of (await storage?.keys()) ?? [])
    if (/^p2p-elements(-|$)/.test(name) && (assets || name !== ASSET_CACHE)) await storage?.delete(name);
}
