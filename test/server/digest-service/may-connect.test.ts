import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayConnect } from '../../../server/digest-service/may-connect.ts';

/** Addresses that are nobody's origin, with what they are. */
const NEVER: Record<string, string> = {
  '0.0.0.0': 'unspecified',
  '0.1.2.3': 'this network',
  '169.254.169.254': 'link-local: metadata of most clouds',
  '100.100.100.200': 'metadata of a cloud, within carrier-grade NAT',
  '168.63.129.16': 'metadata of a cloud, public',
  '192.0.0.192': 'metadata of a cloud, reserved',
  '192.0.2.1': 'documentation',
  '198.18.0.1': 'benchmarking',
  '224.0.0.1': 'multicast',
  '240.0.0.1': 'reserved',
  '255.255.255.255': 'broadcast',
  '::': 'unspecified',
  'fe80::1': 'link-local',
  'fe80::1%eth0': 'link-local with a zone',
  'fec0::1': 'site-local, deprecated',
  'fd00:ec2::254': 'metadata of a cloud, unique local',
  'ff02::1': 'multicast',
  '64:ff9b::a00:1': 'NAT64 of 10.0.0.1',
  '64:ff9b::808:808': 'NAT64 of a public address',
  '64:ff9b:1::a00:1': 'local NAT64',
  '2002:a00:1::': '6to4 of 10.0.0.1',
  '2001:0:a00:1::': 'Teredo',
  '2001:db8::1': 'documentation',
  '::a00:1': 'IPv4-compatible 10.0.0.1, deprecated',
  '::ffff:0:a00:1': 'IPv4-translated 10.0.0.1',
  '100::1': 'discard',
  '::ffff:169.254.169.254': 'mapped link-local',
  '::ffff:0.0.0.0': 'mapped unspecified',
  '': 'nothing',
  localhost: 'a name',
  '1.2.3.4.5': 'no address',
  '4::g': 'no address',
};

const PRIVATE = [
  ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '127.0.0.1', '127.255.0.1', '100.64.0.1'],
  ...['::1', 'fc00::1', 'fdff::1', '::ffff:10.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
];

const PUBLIC = [
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '2a00:1450:4001::1',
  '::ffff:1.1.1.1',
];

test('what is no host of the internet is never connected to, whatever is allowed', () => {
  for (const [address, what] of Object.entries(NEVER))
    for (const allowsPrivate of [false, true])
      assert.equal(mayConnect(address, allowsPrivate), false, `${address} (${what})`);
});

test('private networks and this machine only where that is allowed', () => {
  for (const address of PRIVATE) {
    assert.equal(mayConnect(address, false), false, address);
    assert.equal(mayConnect(address, true), true, address);
  }
});

test('public addresses', () => {
  for (const address of PUBLIC) assert.equal(mayConnect(address, false), true, address);
});

test('any other spelling of a private IPv4 address stays one', () => {
  fc.assert(
    fc.property(fc.constantFrom(10, 127), fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c, d) => {
      const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
      const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      for (const address of [
        `${a}.${b}.${c}.${d}`,
        `::ffff:${a}.${b}.${c}.${d}`,
        `::ffff:${hex(a, b)}:${hex(c, d)}`,
        `0:0:0:0:0:FFFF:${hex(a, b)}:${hex(c, d)}`,
        `::${hex(a, b)}:${hex(c, d)}`,
        `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
        `2002:${hex(a, b)}:${hex(c, d)}::1`,
        `0x${number.toString(16)}`,
        String(number),
      ])
        assert.equal(mayConnect(address, false), false, address);
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), fc.boolean(), (text, allowsPrivate) => void mayConnect(text, allowsPrivate)));
});
