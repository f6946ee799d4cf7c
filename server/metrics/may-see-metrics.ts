/** Who may see `/metrics` on the public port. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** Added by proxies. Whoever comes through one is not who the connection says, and behind a proxy on this machine everybody seems local. */
const OF_PROXIES = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/** Addresses and prefixes (`10.0.0.0/8`, `fd00::/8`); undefined: one of them is none. */
export function addressList(prefixes: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  try {
    for (const prefix of prefixes) {
      const [address = '', length, ...rest] = prefix.split('/');
      const type = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (isIP(address) === 0 || rest.length > 0) return undefined;
      if (length === undefined) list.addAddress(address, type);
      else if (/^\d{1,3}$/.test(length)) list.addSubnet(address, Number(length), type);
      else return undefined;
    }
  } catch {
    return undefined; // a longer prefix than its address
  }
  return list;
}

const LOOPBACK = ['127.0.0.0/8', '::1'];

/** Programs on this machine that come directly, and who is in the list, by the address of the connection alone. */
export function maySeeMetrics(allowed: BlockList | undefined): (request: IncomingMessage) => boolean {
  const loopback = addressList(LOOPBACK);
  return ({ headers, socket }) => {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
    if (isIP(address) === 0) return false;
    const type = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (allowed?.check(address, type) === true) return true;
    return loopback?.check(address, type) === true && !OF_PROXIES.some((name) => name in headers);
  };
}
