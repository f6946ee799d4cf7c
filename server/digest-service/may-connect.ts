/** Which addresses the service connects to: the only thing between a name in the DNS and the operator's own network. */
import ipaddr from 'ipaddr.js';

/** What a machine learns of itself from its cloud, at addresses that are otherwise public or private: never an origin. */
const METADATA = ['100.100.100.200', '168.63.129.16', 'fd00:ec2::254'].map((address) => ipaddr.parse(address));

/** All of the global unicast space that is given out (RFC 4291, 2.4; IANA): whatever lies outside has a meaning of its own. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

const PRIVATE = new Set(['private', 'loopback', 'carrierGradeNat', 'uniqueLocal']);

/**
 * Public addresses; with `allowsPrivate` those of private networks and of this machine too (RFC 1918, RFC 4193, RFC 6598, loopback). Never link-local,
 * multicast, reserved, or what stands for an IPv4 address in another one (NAT64, 6to4, Teredo). IPv4-mapped addresses count as the IPv4 they are.
 */
export function mayConnect(address: string, allowsPrivate: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (METADATA.some((one) => one.kind() === parsed.kind() && one.toString() === parsed.toString())) return false;
  const range: string = parsed.range();
  if (PRIVATE.has(range)) return allowsPrivate;
  return range === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST));
}
