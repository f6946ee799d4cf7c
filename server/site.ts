/**
 * The site that an address belongs to: peers behind one public address share one line.
 * The key never leaves the server, since it gives the address away.
 */
import { blockOf, formatBlock, parseAddress } from './address.ts';
import { SITE_IPV6_PREFIX } from './limits.ts';

/** Names a site within this server. */
export type SiteKey = string & { readonly brand: 'site key' };

/** Tells the site of a client's address. */
export type SiteOf = (address: string) => SiteKey;

/** Bits of a private IPv4 address that make a site. */
const PRIVATE_IPV4_PREFIX = 16;

/**
 * - IPv4: the address itself (everybody behind one NAT has the same one).
 * - Private IPv4 (RFC 1918) and link-local: the /16. Who reaches us by a private address did so without NAT, so is in our own network,
 *   where each browser has its own address.
 * - IPv6: the /56 (what providers give one household or school, RFC 6177), or another prefix. IPv4-mapped addresses count as IPv4.
 * - All loopback addresses are one site. What is no address at all is one site, too: `unknown`.
 *
 * @param ipv6Prefix in bits
 */
export function siteOf(address: string, ipv6Prefix = SITE_IPV6_PREFIX): SiteKey {
  const parsed = parseAddress(address);
  if (parsed === undefined) return 'unknown' as SiteKey;
  const range = parsed.range();
  if (range === 'loopback') return 'loopback' as SiteKey;
  if (parsed.kind() === 'ipv6') return formatBlock(blockOf(parsed, ipv6Prefix)) as SiteKey;
  const isOurs = range === 'private' || range === 'linkLocal';
  return (isOurs ? formatBlock(blockOf(parsed, PRIVATE_IPV4_PREFIX)) : parsed.toString()) as SiteKey;
}
