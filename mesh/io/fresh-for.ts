import CachePolicy from 'http-cache-semantics';

/**
 * How long an answer to a plain GET may be given on by a shared cache without asking the origin, ms (RFC 9111, 4.2); 0: not at all. Only what the origin itself says counts: no heuristics, and nothing stale.
 * @param headers names in lower case
 * @param now milliseconds since 1970
 */
export function freshFor(url: string, headers: Readonly<Record<string, string>>, now = Date.now()): number {
  const cacheControl = (headers['cache-control'] ?? '').toLowerCase();
  const policy = new CachePolicy(
    { url, method: 'GET', headers: {} },
    { status: 200, headers: { ...headers, 'cache-control': cacheControl } },
    { shared: true, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
  );
  // The browser's own cache gives answers on without an Age.
  const sentAt = Date.parse(headers['date'] ?? '');
  const age = Math.max(1000 * policy.age(), Number.isNaN(sentAt) ? 0 : now - sentAt);
  return policy.storable() ? Math.max(0, 1000 * policy.maxAge() - age) : 0;
}
