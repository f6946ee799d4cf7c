import { isIPv4 } from 'node:net';
import { siteOf } from '../site.ts';

/** By what the connections of one address are counted: IPv4 by itself; IPv6 by its /56, for whoever has one address there has them all. */
export function addressKey(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIPv4(bare) ? bare : siteOf(address);
}
