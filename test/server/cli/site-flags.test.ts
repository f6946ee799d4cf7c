import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { formatBlock } from '../../../server/address.ts';
import {
  ipv6Prefix,
  siteOptions,
  trustedProxies,
  withSiteFlags,
  type SiteFlags,
} from '../../../server/cli/site-flags.ts';
import { MAX_PROXIES } from '../../../server/limits.ts';
import { folderOf, silent } from '../support.ts';

/** The flags as `serve` reads them. */
function flagsOf(...args: string[]): SiteFlags {
  const command = withSiteFlags(new Command('serve'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts();
}

test('trusted proxies are a number or blocks', () => {
  assert.deepEqual(['0', '1', String(MAX_PROXIES)].map(trustedProxies), [0, 1, MAX_PROXIES]);
  const blocks = trustedProxies('10.0.0.0/8, 2001:db8::1 192.0.2.80');
  assert.ok(typeof blocks !== 'number');
  assert.deepEqual(blocks.map(formatBlock), ['10.0.0.0/8', '2001:db8::1/128', '192.0.2.80/32']);
  for (const text of ['', ' ', '-1', '1.5', String(MAX_PROXIES + 1), 'true', 'loopback', '10.0.0.1/8', '1,2'])
    assert.throws(() => trustedProxies(text), /Expected/, text);
});

test('an IPv6 prefix is a number of bits', () => {
  assert.deepEqual(['16', '48', '56', '128'].map(ipv6Prefix), [16, 48, 56, 128]);
  for (const text of ['', '0', '15', '129', '/56', '5.6', 'x']) assert.throws(() => ipv6Prefix(text), /Expected/, text);
});

test('by default no header is believed and an IPv6 /56 is a site', () => {
  const { addressOf, siteOf } = siteOptions(flagsOf(), silent);
  const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '203.0.113.7' } };
  assert.equal(addressOf(request as unknown as IncomingMessage), '10.0.0.1');
  assert.equal(siteOf('2001:db8:1:2300::1'), siteOf('2001:db8:1:23ff::1'));
  assert.notEqual(siteOf('2001:db8:1:2300::1'), siteOf('2001:db8:1:2400::1'));
});

test('the flags decide whom to believe and what a site is', async (t) => {
  const folder = await folderOf(t, { 'sites.txt': '2001:db8:1::/48 campus\n198.51.100.0/24 campus\n' });
  const args = ['--trust-proxy', '10.0.0.0/8', '--site-ipv6-prefix', '64', '--sites', join(folder, 'sites.txt')];
  const { addressOf, siteOf } = siteOptions(flagsOf(...args), silent);
  const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '203.0.113.7' } };
  assert.equal(addressOf(request as unknown as IncomingMessage), '203.0.113.7');
  assert.equal(siteOf('2001:db8:1:2::1'), siteOf('198.51.100.9'));
  assert.notEqual(siteOf('2001:db8:2:1::1'), siteOf('2001:db8:2:2::1'));
});

test('a file of sites that is broken is an error at the start', async (t) => {
  const path = join(await folderOf(t), 'sites.txt');
  assert.throws(() => siteOptions({ sites: path }, silent), /--sites, but .*ENOENT/);
  await writeFile(path, '# ours\nnorth 203.0.113.0/24\n');
  assert.throws(() => siteOptions({ sites: path }, silent), /line 2 of .*sites\.txt/);
});
