/** Reads IP addresses and blocks of them (CIDR, RFC 4632 and RFC 4291), with ipaddr.js. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A block of addresses: those that begin with the same bits. */
export interface Block {
  /** Of the network: all bits behind the prefix are zero. */
  readonly address: Address;
  /** In bits. */
  readonly prefix: number;
}

/** Longest IPv6 address with brackets, zone (RFC 4007, 11) and port, characters. What is longer is none, and costs nothing. */
const MAX_ADDRESS_CHARACTERS = 128;

/**
 * An address as sockets and proxies write it: also with a port (`192.0.2.1:80`, `[2001:db8::1]:80`), brackets or a zone. IPv4-mapped addresses
 * (RFC 4291, 2.5.5.2) count as IPv4. undefined: it is none.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS_CHARACTERS) return undefined;
  const trimmed = text.trim();
  const [, inBrackets, dotted] = /^\[([^[\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(trimmed) ?? [];
  const bare = (inBrackets ?? dotted ?? trimmed).replace(/%.*$/s, '');
  // ipaddr.js also takes 0x7f.1 and 0177.1, which nobody writes who means well
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare);
}

/** The block with this prefix around an address. */
export function blockOf(address: Address, prefix: number): Block {
  const bytes = address.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * index));
    return byte & (0xff00 >> bits) & 0xff;
  });
  return { address: ipaddr.fromByteArray(bytes), prefix };
}

/** `198.51.100.0/24`, `2001:db8::/32`, or a single address. @returns what is wrong, in words, if it can't be read */
export function parseBlock(text: string): Block | string {
  const [network = '', prefixText, ...rest] = text.split('/');
  const family = isIP(network);
  if (family === 0 || rest.length > 0 || network.includes('%'))
    return `"${text.slice(0, MAX_ADDRESS_CHARACTERS)}" is no address or CIDR block such as 198.51.100.0/24 or 2001:db8::/32`;
  const parsed = ipaddr.parse(network);
  const bits = family === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : NaN;
  if (!(prefix <= bits)) return `the prefix of ${text} is not a number from 0 to ${bits}`;
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress())
    return `${text} is an IPv4-mapped block: write it as IPv4`;
  const block = blockOf(parsed, prefix);
  if (block.address.toString() !== parsed.toString())
    return `${text} has bits behind its prefix: ${formatBlock(block)} is the block around it`;
  return block;
}

export const formatBlock = ({ address, prefix }: Block): string => `${address.toString()}/${prefix}`;

export const isInBlock = (address: Address, { address: network, prefix }: Block): boolean =>
  address.kind() === network.kind() && address.match(network, prefix);
