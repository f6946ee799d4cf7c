/** As much of the Cache API as the service worker uses; survives a restart of the worker. */
export class FakeCaches {
  /** By cache, then by key. */
  readonly kept = new Map<string, Map<string, Response>>();
  broken = false;

  asStorage(): CacheStorage {
    return this as unknown as CacheStorage;
  }

  async open(name: string): Promise<{
    match: (key: string) => Promise<Response | undefined>;
    put: (key: string, response: Response) => Promise<void>;
    delete: (request: { url: string }) => Promise<boolean>;
    keys: () => Promise<{ url: string }[]>;
  }> {
    if (this.broken) throw new DOMException('no storage', 'SecurityError');
    const cache = this.kept.get(name) ?? new Map<string, Response>();
    this.kept.set(name, cache);
    return {
      match: async (key) => cache.get(key)?.clone(),
      put: async (key, response) => {
        const body = await response.arrayBuffer();
        cache.delete(key);
        cache.set(key, new Response(body, response));
      },
      delete: async ({ url }) => cache.delete(url),
      keys: async () => [...cache.keys()].map((url) => ({ url })),
    };
  }

  async keys(): Promise<string[]> {
    return [...this.kept.keys()];
  }

  async delete(name: string): Promise<boolean> {
    return this.kept.delete(name);
  }

  async match(key: string, { cacheName }: { cacheName: string }): Promise<Response | undefined> {
    return (await this.open(cacheName)).match(key);
  }
}
