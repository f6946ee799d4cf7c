/** Sites that the operator knows better than addresses tell: several lines of one campus, or several customers behind one block. */
import { P2PError } from '../protocol/error.ts';
import { blockOf, formatBlock, parseAddress, parseBlock, type Address } from './address.ts';
import { MAX_SITE_NAME_CHARACTERS } from './limits.ts';
import type { SiteKey, SiteOf } from './site.ts';

/** CIDR block as text → name of the site. The prefixes that occur are sorted, the longest first. */
export interface SiteTable {
  readonly names: ReadonlyMap<string, string>;
  readonly prefixes: Readonly<Record<'ipv4' | 'ipv6', readonly number[]>>;
}

/**
 * One block a line, then the name of its site, which is the rest of the line; a `#` at the start of a line or after a blank begins a comment.
 * Blocks with the same name are one site.
 *
 *     # CIDR          name
 *     203.0.113.0/24  north campus
 *     2001:db8:1::/48 north campus
 *     203.0.113.7     library    # one address
 *
 * @throws P2PError `bad-flag` with the first line that is wrong
 */
export function parseSiteTable(text: string, file: string): SiteTable {
  const names = new Map<string, string>();
  const prefixes = { ipv4: new Set<number>(), ipv6: new Set<number>() };
  for (const [index, line] of text.split(/\r?\n|\r/).entries()) {
    const wrong = (what: string): P2PError =>
      new P2PError(
        'bad-flag',
        `Expected a CIDR block and the name of its site in line ${index + 1} of ${file}, but ${what}.`,
        { file, line: index + 1 },
      );
    const content = line.replace(/(^|\s)#.*$/, '').trim();
    if (content === '') continue;
    const [, blockText = '', name = ''] = /^(\S+)(?:\s+(.*))?$/.exec(content) ?? [];
    const block = parseBlock(blockText);
    if (typeof block === 'string') throw wrong(block);
    if (name === '') throw wrong(`${blockText} has no name`);
    if (name.length > MAX_SITE_NAME_CHARACTERS || /\p{Cc}/u.test(name))
      throw wrong(`the name is longer than ${MAX_SITE_NAME_CHARACTERS} characters or has control characters`);
    const key = formatBlock(block);
    const before = names.get(key);
    if (before !== undefined && before !== name) throw wrong(`${key} is "${before}" already, further up`);
    names.set(key, name);
    prefixes[block.address.kind()].add(block.prefix);
  }
  const longestFirst = (set: Set<number>): number[] => [...set].sort((a, b) => b - a);
  return { names, prefixes: { ipv4: longestFirst(prefixes.ipv4), ipv6: longestFirst(prefixes.ipv6) } };
}

/** The name of the smallest block that an address is in; a look-up for each prefix length that occurs. */
export function nameIn({ names, prefixes }: SiteTable, address: Address): string | undefined {
  for (const prefix of prefixes[address.kind()]) {
    const name = names.get(formatBlock(blockOf(address, prefix)));
    if (name !== undefined) return name;
  }
  return undefined;
}

/** Sites by the table, and of what is not in it by the address. @param table the one that is valid now */
export const siteByTable =
  (table: () => SiteTable, otherwise: SiteOf): SiteOf =>
  (address) => {
    const parsed = parseAddress(address);
    const name = parsed && nameIn(table(), parsed);
    // no address or block begins so
    return name === undefined ? otherwise(address) : (`name ${name}` as SiteKey);
  };
