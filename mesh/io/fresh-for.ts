import CachePolicy from 'http-cache-semantics';

/** @returns how long a shared cache may give an answer to a plain GET on without asking the origin, ms (RFC 9111, 3 and 4.2); 0: not at all @param headers names in lower case */
export function freshFor(url: string, status: number, headers: Readonly<Record<string, string>>): number {
  const policy = new CachePolicy(
    { url, method: 'GET', headers: {} },
    { status, headers: { ...headers } },
    { shared: true },
  );
  return policy.storable() ? policy.timeToLive() : 0;
}
