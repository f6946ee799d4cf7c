import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockOf, formatBlock, isInBlock, parseAddress, parseBlock, type Block } from '../../server/address.ts';

const block = (text: string): Block => {
  const parsed = parseBlock(text);
  assert.ok(typeof parsed !== 'string', text);
  return parsed;
};

test('an address is read with port, brackets, zone and blanks', () => {
  for (const [text, plain] of [
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:65535', '203.0.113.7'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:cb00:7107]:80', '203.0.113.7'],
  ] as const)
    assert.equal(parseAddress(text)?.toString(), plain, text);
});

test('what is no address is none, also where a library would make one of it', () => {
  for (const text of [
    '',
    ' ',
    'unknown',
    '_hidden',
    '0x7f.1',
    '127.1',
    '2130706433',
    '010.0.0.1',
    '203.0.113.7:',
    '203.0.113.7:123456',
    '203.0.113.7/24',
    '[203.0.113.7',
    '2001:db8::1]:80',
    '[]',
    '[]:80',
    '%eth0',
    '203.0.113.7, 203.0.113.8',
    `::1%${'x'.repeat(200)}`,
    ':'.repeat(100_000),
  ])
    assert.equal(parseAddress(text), undefined, text.slice(0, 50));
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseAddress(text) === undefined || text !== ''));
});

test('a block is what begins with the same bits', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (text, bits) => {
      const address = parseAddress(text)!;
      const around = blockOf(address, address.kind() === 'ipv4' ? bits % 33 : bits);
      assert.ok(isInBlock(address, around), `${text} in ${formatBlock(around)}`);
      assert.equal(formatBlock(block(formatBlock(around))), formatBlock(around));
    }),
  );
  assert.equal(formatBlock(blockOf(parseAddress('10.11.12.13')!, 12)), '10.0.0.0/12');
  assert.equal(formatBlock(blockOf(parseAddress('2001:db8:1:23ff::1')!, 56)), '2001:db8:1:2300::/56');
  assert.ok(!isInBlock(parseAddress('203.0.114.0')!, block('203.0.113.0/24')));
  assert.ok(!isInBlock(parseAddress('::1')!, block('0.0.0.0/0')), 'of the other family');
  assert.ok(isInBlock(parseAddress('::ffff:203.0.113.9')!, block('203.0.113.0/24')));
});

test('a block that is not one is told apart in words', () => {
  assert.equal(formatBlock(block('203.0.113.7')), '203.0.113.7/32');
  assert.equal(formatBlock(block('2001:db8::/32')), '2001:db8::/32');
  for (const [text, expected] of [
    ['', /no address or CIDR block/],
    ['campus', /no address or CIDR block/],
    ['10.0.0.0/8/8', /no address/],
    ['fe80::%eth0/64', /no address/],
    ['203.0.113.0/33', /from 0 to 32/],
    ['203.0.113.0/', /from 0 to 32/],
    ['203.0.113.0/-1', /from 0 to 32/],
    ['2001:db8::/129', /from 0 to 128/],
    ['203.0.113.7/24', /203\.0\.113\.0\/24 is the block around it/],
    ['::ffff:203.0.113.0/120', /write it as IPv4/],
    ['x'.repeat(10_000), /^.{1,300}$/],
  ] as const) {
    const said = parseBlock(text);
    assert.ok(typeof said === 'string', text);
    assert.match(said, expected);
  }
});
