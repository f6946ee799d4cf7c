import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBlock, type Block } from '../../server/address.ts';
import { clientAddress, type TrustedProxies } from '../../server/client-address.ts';
import { MAX_PROXIES } from '../../server/limits.ts';
import { ask, connect, joinSwarms, run } from './support.ts';

const CLIENT = '203.0.113.7';
const PROXY = '10.0.0.1';
const BALANCER = '192.0.2.80';
const TRUSTED = ['10.0.0.0/8', '192.0.2.80', '2001:db8::/32'].map((text) => parseBlock(text) as Block);

/** What is read from a request with these. */
const addressOf = (trusted: TrustedProxies, remoteAddress: string | undefined, header?: string): string =>
  clientAddress(trusted)({
    socket: { remoteAddress },
    headers: header === undefined ? {} : { 'x-forwarded-for': header },
  } as unknown as IncomingMessage);

test('headers of nobody are believed unless proxies are trusted', () => {
  for (const trusted of [0, []]) assert.equal(addressOf(trusted, PROXY, CLIENT), PROXY);
  assert.equal(addressOf(TRUSTED, '198.51.100.9', CLIENT), '198.51.100.9', 'from another than a trusted proxy');
});

test('of a trusted proxy the last entry is believed, and what a client wrote itself is not', () => {
  assert.equal(addressOf(1, PROXY, CLIENT), CLIENT);
  assert.equal(addressOf(1, PROXY, `198.51.100.1, ${CLIENT}`), CLIENT);
  assert.equal(addressOf(2, PROXY, `198.51.100.1,${CLIENT},${BALANCER}`), CLIENT);
  assert.equal(addressOf(TRUSTED, PROXY, `198.51.100.1, ${CLIENT}, ${BALANCER}`), CLIENT);
  assert.equal(addressOf(TRUSTED, '::ffff:10.0.0.1', CLIENT), CLIENT);
  assert.equal(addressOf(TRUSTED, '2001:db8::5%eth0', CLIENT), CLIENT);
});

test('where a proxy says nothing, its own address counts', () => {
  for (const trusted of [1, TRUSTED]) {
    assert.equal(addressOf(trusted, PROXY), PROXY);
    assert.equal(addressOf(trusted, PROXY, ''), PROXY);
  }
  assert.equal(addressOf(TRUSTED, PROXY, BALANCER), BALANCER, 'all are trusted: the furthest');
});

test('on a Unix socket there is no address but what a counted proxy says', () => {
  assert.equal(addressOf(0, undefined, CLIENT), '');
  assert.equal(addressOf(TRUSTED, undefined, CLIENT), '');
  assert.equal(addressOf(1, undefined, CLIENT), CLIENT);
});

test('ports, brackets and zones are no part of an address', () => {
  for (const [entry, address] of [
    [`${CLIENT}:51234`, CLIENT],
    ['[2001:db9::7]:51234', '2001:db9::7'],
    ['[2001:db9::7]', '2001:db9::7'],
    ['fe80::7%3', 'fe80::7'],
    [`::ffff:${CLIENT}`, CLIENT],
  ] as const)
    assert.equal(addressOf(1, PROXY, entry), address);
  assert.equal(addressOf(TRUSTED, PROXY, `${CLIENT}, 192.0.2.80:1234, [2001:db8::5]:80`), CLIENT);
});

test('an entry that is no address ends the search at who passed it on', () => {
  for (const entry of ['unknown', '_secret', '', ' ', 'for=203.0.113.7', '"203.0.113.7"', '0x7f.1', '<script>']) {
    assert.equal(addressOf(1, PROXY, `${CLIENT},${entry}`), PROXY, entry);
    assert.equal(addressOf(TRUSTED, PROXY, `${CLIENT},${entry},${BALANCER}`), BALANCER, entry);
  }
});

test('a header of thousands of entries is followed for a few, and costs nothing', () => {
  const many = Array.from({ length: 100_000 }, () => PROXY).join(', ');
  const start = performance.now();
  for (let i = 0; i < 100; i++) assert.equal(addressOf(TRUSTED, PROXY, `${CLIENT}, ${many}`), PROXY);
  assert.ok(performance.now() - start < 1000, `${performance.now() - start} ms for 100`);
  const few = Array.from({ length: MAX_PROXIES - 1 }, () => PROXY).join(', ');
  assert.equal(addressOf(TRUSTED, PROXY, `${CLIENT}, ${few}`), CLIENT);
});

test('whatever stands in the header, the address is one that can be read, or the socket’s', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(MAX_PROXIES), (header, count) => {
      const address = addressOf(count, PROXY, header);
      assert.ok(parseBlock(address) instanceof Object, address);
    }),
  );
});

test('behind a proxy, viewers of one address are one site and others are not', async (t) => {
  const { url } = await run(t, { addressOf: clientAddress(1) });
  const from = async (header: string) =>
    joinSwarms(await connect(t, url, '', { extraHeaders: { 'x-forwarded-for': header } }), ['lesson']);
  const first = await from(CLIENT);
  const other = await from(`${CLIENT}, 203.0.113.8`); // claims to be the first
  const second = await from(`[::ffff:${CLIENT}]:4711`);
  assert.deepEqual(other.swarms[0]?.members, []);
  assert.deepEqual(other.swarms[0].others, [first.peer]);
  assert.deepEqual(second.swarms[0]?.members, [first.peer]);
});

test('a server that trusts no proxy reads no forwarded header, of any name', async (t) => {
  const { url } = await run(t);
  const from = async (extraHeaders: Record<string, string>) =>
    joinSwarms(await connect(t, url, '', { extraHeaders }), ['lesson']);
  await from({});
  for (const headers of [
    { 'x-forwarded-for': CLIENT },
    { forwarded: `for=${CLIENT}` },
    { 'x-real-ip': CLIENT },
    { 'cf-connecting-ip': CLIENT },
  ] as Record<string, string>[])
    assert.deepEqual((await from(headers)).swarms[0]?.others, [], JSON.stringify(headers));
  assert.equal((await ask(url, '/healthz', { 'x-forwarded-for': ','.repeat(15_000) })).status, 200);
});
