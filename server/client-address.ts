/** The address of a client, also behind reverse proxies that we trust. For sites and for whatever counts by address. */
import type { IncomingMessage } from 'node:http';
import { isInBlock, parseAddress, type Block } from './address.ts';
import { MAX_PROXIES } from './limits.ts';

/** How many proxies stand in a row before the server, or the blocks that their addresses are in. 0 and none: no header is believed. */
export type TrustedProxies = number | readonly Block[];

export type AddressOf = (request: IncomingMessage) => string;

/**
 * The socket's remote address or, where that is a trusted proxy's, what the proxy wrote last into `X-Forwarded-For`; and so on while that is a
 * trusted proxy's, too. An entry that is no address ends it: then the address of the proxy who passed it on counts. What stands further to the left is the client's own
 * claim. `Forwarded` (RFC 7239) is not read: a proxy that does not write it passes on what the client wrote.
 * @returns the address without port, brackets and zone; '' where there is none, as on a Unix socket
 */
export function clientAddress(trusted: TrustedProxies): AddressOf {
  const trusts = (address: string, hop: number): boolean => {
    if (typeof trusted === 'number') return hop < trusted;
    const parsed = parseAddress(address);
    return parsed !== undefined && trusted.some((block) => isInBlock(parsed, block));
  };
  return ({ socket, headers }) => {
    let address = plain(socket.remoteAddress ?? '') ?? '';
    let unread = headerText(headers['x-forwarded-for']);
    for (let hop = 0; hop < MAX_PROXIES && unread !== '' && trusts(address, hop); hop++) {
      const comma = unread.lastIndexOf(',');
      const said = plain(unread.slice(comma + 1));
      if (said === undefined) break;
      address = said;
      unread = unread.slice(0, Math.max(0, comma));
    }
    return address;
  };
}

const plain = (text: string): string | undefined => parseAddress(text)?.toString();

/** Node joins what is sent as several headers; its types say that it may not. */
const headerText = (value: string | readonly string[] | undefined): string =>
  value === undefined ? '' : typeof value === 'string' ? value : value.join(',');
