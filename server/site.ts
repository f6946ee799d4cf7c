/**
 * The site that an address belongs to: peers behind one public address share one line.
 * The key never leaves the server, since it gives the address away.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Names a site within this server. */
export type SiteKey = string & { readonly brand: 'site key' };

/**
 * - IPv4: the address itself (everybody behind one NAT has the same one).
 * - Private IPv4 (RFC 1918) and link-local: the /16. Who reaches us by a private address did so without NAT, so is in our own network,
 *   where each browser has its own address.
 * - IPv6: the /56 (what providers give one household or school, RFC 6177). IPv4-mapped addresses count as IPv4.
 * - All loopback addresses are one site. What is no address at all is one site, too: `unknown`.
 */
export function siteOf(address: string): SiteKey {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  if (isIPv4(bare)) return siteOfIPv4(bare);
  if (!isIPv6(bare)) return 'unknown' as SiteKey;
  const groups = groupsOf(bare);
  const leading = groups.slice(0, 5).every((group) => group === 0);
  const [sixth = 0, seventh = 0, eighth = 0] = groups.slice(5);
  if (leading && sixth === 0xffff)
    return siteOfIPv4([seventh >> 8, seventh & 255, eighth >> 8, eighth & 255].join('.'));
  if (leading && sixth === 0 && seventh === 0 && eighth === 1) return 'loopback' as SiteKey;
  const prefix = groups.slice(0, 4).map((group, index) => (index === 3 ? group & 0xff00 : group).toString(16));
  return `${prefix.join(':')}::/56` as SiteKey;
}

function siteOfIPv4(address: string): SiteKey {
  const [first = 0, second = 0] = address.split('.').map(Number);
  if (first === 127) return 'loopback' as SiteKey;
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254);
  return (isPrivate ? `${first}.${second}.0.0/16` : address) as SiteKey;
}

/** The eight 16-bit groups of a valid IPv6 address (RFC 4291, 2.2), also with `::` and an IPv4 tail. */
function groupsOf(address: string): number[] {
  const hex = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a: string, b: string, c: string, d: string) =>
      `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  );
  const [head = '', tail] = hex.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const front = parse(head);
  const back = tail === undefined ? [] : parse(tail);
  return [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => 0), ...back];
}
