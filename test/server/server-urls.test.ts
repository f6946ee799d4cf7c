import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lanAddresses } from '../../server/lan-addresses.ts';
import { serverURLs } from '../../server/server-urls.ts';
import { startLines } from '../../server/cli/start-lines.ts';

const addresses = ['192.168.1.5'];

test('a server on all interfaces has a local and LAN addresses', () => {
  assert.deepEqual(serverURLs({ host: undefined, port: 8080, isSecure: false, addresses }), {
    local: 'http://localhost:8080',
    lan: ['http://192.168.1.5:8080'],
  });
  assert.deepEqual(serverURLs({ host: '0.0.0.0', port: 8443, isSecure: true, addresses }), {
    local: 'https://localhost:8443',
    lan: ['https://192.168.1.5:8443'],
  });
});

test('a server on one address has only that', () => {
  assert.deepEqual(serverURLs({ host: '127.0.0.1', port: 1, isSecure: false, addresses }), {
    local: 'http://127.0.0.1:1',
    lan: [],
  });
  assert.deepEqual(serverURLs({ host: '::1', port: 1, isSecure: false, addresses }), {
    local: 'http://[::1]:1',
    lan: [],
  });
  assert.deepEqual(serverURLs({ host: '192.168.1.5', port: 1, isSecure: false, addresses }), {
    local: undefined,
    lan: ['http://192.168.1.5:1'],
  });
});

test('LAN addresses are those that others can reach', () => {
  const info = { netmask: '', mac: '', cidr: null };
  const found = lanAddresses({
    lo: [{ ...info, family: 'IPv4', address: '127.0.0.1', internal: true }],
    eth0: [
      { ...info, family: 'IPv4', address: '192.168.1.5', internal: false },
      { ...info, family: 'IPv6', address: 'fe80::1', internal: false, scopeid: 2 },
    ],
    eth1: [{ ...info, family: 'IPv4', address: '169.254.3.4', internal: false }],
    gone: undefined,
  });
  assert.deepEqual(found, ['192.168.1.5']);
});

test('the start lines say what a LAN page on plain HTTP lacks, and what to do', () => {
  const text = startLines({ local: 'http://localhost:8080', lan: ['http://192.168.1.5:8080'] }, '/m', false).join('\n');
  for (const part of [
    'http://localhost:8080',
    'http://192.168.1.5:8080',
    '/m',
    'no service worker',
    'elements still share',
    'offline',
    '--tls-cert',
    '--tls-key',
  ])
    assert.ok(text.includes(part), part);
});

test('with TLS, or with no LAN address, nothing is lacking and nothing is said', () => {
  assert.ok(
    !startLines({ local: 'https://localhost:8080', lan: ['https://192.168.1.5:8080'] }, '/m', true)
      .join('\n')
      .includes('service worker'),
  );
  assert.ok(
    !startLines({ local: 'http://localhost:8080', lan: [] }, '/m', false).join('\n').includes('service worker'),
  );
});
