/** The flags that say where clients are: `--trust-proxy`, `--sites`, `--site-ipv6-prefix`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseBlock, type Block } from '../address.ts';
import { clientAddress, type AddressOf, type TrustedProxies } from '../client-address.ts';
import { MAX_PROXIES, MAX_SITES_BYTES, SITE_IPV6_PREFIX } from '../limits.ts';
import type { Logger } from '../log.ts';
import { siteOf, type SiteOf } from '../site.ts';
import { parseSiteTable, siteByTable } from '../site-table.ts';
import { watchFileAt } from '../watched-file.ts';

export interface SiteFlags {
  readonly trustProxy?: TrustedProxies;
  readonly sites?: string;
  readonly siteIpv6Prefix?: number;
}

export const withSiteFlags = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--trust-proxy <proxies>',
        'take clients’ addresses from X-Forwarded-For: how many reverse proxies stand before the server, or their addresses and CIDR blocks with commas (default: none)',
      )
        .env('P2P_TRUST_PROXY')
        .argParser(trustedProxies),
    )
    .addOption(
      new Option(
        '--sites <file>',
        'which networks are one site: a CIDR block and a name in each line; read again when it changes (default: each public address is one)',
      ).env('P2P_SITES'),
    )
    .addOption(
      new Option('--site-ipv6-prefix <bits>', 'how many bits of an IPv6 address make a site')
        .env('P2P_SITE_IPV6_PREFIX')
        .argParser(ipv6Prefix)
        .default(SITE_IPV6_PREFIX),
    );

/** @throws P2PError `bad-flag` if the file of `--sites` can't be read or has a line that is wrong */
export function siteOptions(
  { trustProxy, sites, siteIpv6Prefix }: SiteFlags,
  log: Logger,
): { readonly addressOf: AddressOf; readonly siteOf: SiteOf } {
  const byAddress: SiteOf = (address) => siteOf(address, siteIpv6Prefix);
  const addressOf = clientAddress(trustProxy ?? 0);
  if (sites === undefined) return { addressOf, siteOf: byAddress };
  const file = watchFileAt({
    flag: '--sites',
    path: sites,
    maxBytes: MAX_SITES_BYTES,
    parse: (text) => parseSiteTable(text, sites),
    log,
  });
  return { addressOf, siteOf: siteByTable(() => file.value, byAddress) };
}

/** A number of proxies, or blocks with commas or blanks between them. */
export function trustedProxies(text: string): TrustedProxies {
  const items = text.split(/[\s,]+/).filter((item) => item !== '');
  const [first = ''] = items;
  if (items.length === 1 && /^\d+$/.test(first)) {
    if (Number(first) <= MAX_PROXIES) return Number(first);
    throw new InvalidArgumentError(`Expected at most ${MAX_PROXIES} proxies in a row.`);
  }
  const blocks: Block[] = [];
  for (const item of items) {
    const block = parseBlock(item);
    if (typeof block === 'string') throw new InvalidArgumentError(`Expected a number or CIDR blocks, but ${block}.`);
    blocks.push(block);
  }
  if (blocks.length > 0) return blocks;
  throw new InvalidArgumentError('Expected how many proxies there are, such as 1, or their CIDR blocks.');
}

/** From a household's own network to a provider's. */
export function ipv6Prefix(text: string): number {
  const bits = Number(text);
  if (/^\d{1,3}$/.test(text) && bits >= 16 && bits <= 128) return bits;
  throw new InvalidArgumentError('Expected a number of bits from 16 to 128, such as 56.');
}
