import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { parseAddress } from '../../server/address.ts';
import { MAX_SITE_NAME_CHARACTERS } from '../../server/limits.ts';
import { nameIn, parseSiteTable, siteByTable } from '../../server/site-table.ts';
import { siteOf } from '../../server/site.ts';

const TEXT = `
# CIDR            name
203.0.113.0/24    north campus
2001:db8:1::/48\tnorth campus
203.0.113.128/25  south campus   # behind its own line
203.0.113.200     library
`;

const table = parseSiteTable(TEXT, 'sites.txt');
const nameOf = (address: string) => nameIn(table, parseAddress(address)!);

test('the longest prefix wins, whatever the order', () => {
  for (const text of [TEXT, TEXT.split('\n').reverse().join('\r\n')]) {
    const read = parseSiteTable(text, 'sites.txt');
    const names = ['203.0.113.1', '203.0.113.129', '203.0.113.200', '203.0.114.1'].map((address) =>
      nameIn(read, parseAddress(address)!),
    );
    assert.deepEqual(names, ['north campus', 'south campus', 'library', undefined]);
  }
});

test('blocks with one name are one site, of both families and mapped', () => {
  const site = siteByTable(() => table, siteOf);
  assert.equal(site('203.0.113.1'), site('2001:db8:1:ff::9'));
  assert.equal(site('203.0.113.1'), site('::ffff:203.0.113.99'));
  assert.notEqual(site('203.0.113.1'), site('203.0.113.129'));
  assert.equal(nameOf('2001:db8:2::1'), undefined);
});

test('what is in no block is as ever', () => {
  const site = siteByTable(() => table, siteOf);
  for (const address of ['198.51.100.1', '127.0.0.1', '::1', '10.1.2.3', '2001:db8:9::1', '', 'nonsense'])
    assert.equal(site(address), siteOf(address));
});

test('no name makes a site what an address makes', () => {
  const names = ['loopback', 'unknown', '198.51.100.1', '10.1.0.0/16'];
  const site = siteByTable(
    () => parseSiteTable(names.map((name, i) => `203.0.113.${i} ${name}`).join('\n'), 'f'),
    siteOf,
  );
  const ofAddresses = ['127.0.0.1', '', '198.51.100.1', '10.1.2.3'].map((address) => siteOf(address));
  names.forEach((_, i) => assert.ok(!ofAddresses.includes(site(`203.0.113.${i}`))));
});

test('a line that is wrong is named, with what is wrong', () => {
  for (const [line, expected] of [
    ['203.0.113.0/24', /has no name/],
    ['203.0.113.0/24   # north', /has no name/],
    ['campus 203.0.113.0/24', /"campus" is no address or CIDR block/],
    ['203.0.113.9/24 north', /203\.0\.113\.0\/24 is the block around it/],
    ['203.0.113.0/40 north', /from 0 to 32/],
    [`203.0.113.0/24 ${'n'.repeat(MAX_SITE_NAME_CHARACTERS + 1)}`, /longer than/],
    ['203.0.113.0/24 a\u0000b', /control characters/],
    ['203.0.113.0/24 a\n203.0.113.0/24 b', /line 3 .*"a" already/],
  ] as const)
    assert.throws(
      () => parseSiteTable(`# sites\n${line}`, 'sites.txt'),
      (error) =>
        error instanceof P2PError &&
        error.code === 'bad-flag' &&
        /line [23] of sites\.txt/.test(error.message) &&
        expected.test(error.message),
      line,
    );
  assert.equal(parseSiteTable('203.0.113.0/24 a\n203.0.113.0/24 a', 'f').names.size, 1, 'said twice alike');
  assert.equal(parseSiteTable('', 'f').names.size, 0);
});

test('any text is a table or a clear error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseSiteTable(text, 'f');
      } catch (error) {
        assert.ok(error instanceof P2PError);
      }
    }),
  );
});
