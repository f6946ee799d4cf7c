import type { KeptTexts } from '../core/ports.ts';

const CACHE = 'p2p-elements';

const keyOf = (url: string): string => `/p2p-elements/text?${encodeURIComponent(url)}`;

/** Small texts by URL in the Cache API; where there is none, nothing is kept. */
export const keptTexts = (storage: CacheStorage | undefined): KeptTexts => ({
  read: async (url) => {
    try {
      return (await (await storage?.match(keyOf(url), { cacheName: CACHE }))?.text()) ?? null;
    } catch {
      return null;
    }
  },
  write: async (url, text) => {
    try {
      await (await storage?.open(CACHE))?.put(keyOf(url), new Response(text));
    } catch {
      // No storage (private mode, quota).
    }
  },
});
