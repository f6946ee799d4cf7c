import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { P2PError } from '../../protocol/error.ts';
import { mayConnect } from './may-connect.ts';

/** `dns.lookup` with all addresses. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * The `lookup` of a socket: it connects to what was checked here, so a name that means another address a moment later (DNS rebinding) gains nothing.
 * One forbidden address refuses the name: an origin has no reason to have one.
 */
export function guardedLookup(allowsPrivate: boolean, resolve: Resolve = systemLookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0);
      const forbidden = addresses.find(({ address }) => !mayConnect(address, allowsPrivate));
      const [first] = addresses;
      if (forbidden || !first) return done(forbiddenAddress(hostname, forbidden?.address ?? 'no address'), '', 0);
      if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

export const forbiddenAddress = (hostname: string, address: string): P2PError =>
  new P2PError(
    'origin-failed',
    `Expected a public address for ${hostname}, got ${address}. If the origin is in a private network, say --digest-allow-private.`,
    { hostname, forbidden: true },
  );
