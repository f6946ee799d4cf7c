import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { siteOf } from '../../server/site.ts';

test('everybody behind one public IPv4 address is one site', () => {
  assert.equal(siteOf('203.0.113.7'), siteOf('203.0.113.7'));
  assert.notEqual(siteOf('203.0.113.7'), siteOf('203.0.113.8'));
});

test('an IPv4-mapped IPv6 address is the same site as the IPv4 address, however it is written', () => {
  for (const address of ['::ffff:203.0.113.7', '::FFFF:203.0.113.7', '::ffff:cb00:7107', '0:0:0:0:0:ffff:cb00:7107']) {
    assert.equal(siteOf(address), siteOf('203.0.113.7'), address);
  }
});

test('an IPv6 /56 is one site, and the next /56 is another', () => {
  assert.equal(siteOf('2001:db8:1:2300::1'), siteOf('2001:db8:1:23ff:1:2:3:4'));
  assert.notEqual(siteOf('2001:db8:1:2300::1'), siteOf('2001:db8:1:2400::1'));
  assert.equal(siteOf('2001:DB8:1:2300::1'), siteOf('2001:db8:1:2300:0:0:0:1'));
});

test('all loopback addresses are one site', () => {
  for (const address of ['127.0.0.1', '127.0.0.2', '127.255.0.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.3'])
    assert.equal(siteOf(address), 'loopback', address);
});

test('browsers that reach the server by private addresses of one /16 are one site', () => {
  assert.equal(siteOf('192.168.1.20'), siteOf('192.168.1.21'));
  assert.equal(siteOf('10.1.0.1'), siteOf('10.1.200.1'));
  assert.notEqual(siteOf('10.1.0.1'), siteOf('10.2.0.1'));
  assert.equal(siteOf('172.16.0.1'), siteOf('172.16.9.1'));
  assert.notEqual(siteOf('172.32.0.1'), siteOf('172.32.0.2'));
});

test('a zone index does not make a site', () => {
  assert.equal(siteOf('fe80::1%eth0'), siteOf('fe80::2%eth1'));
});

test('what is no address is a site of its own kind and never throws', () => {
  assert.equal(siteOf(''), 'unknown');
  fc.assert(fc.property(fc.string(), (text) => typeof siteOf(text) === 'string'));
  fc.assert(fc.property(fc.ipV4(), (address) => siteOf(address) === siteOf(`::ffff:${address}`)));
  fc.assert(fc.property(fc.ipV6(), (address) => !siteOf(address).includes('NaN')));
});
