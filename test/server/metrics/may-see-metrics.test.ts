import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { addressList, maySeeMetrics } from '../../../server/metrics/may-see-metrics.ts';

const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

test('programs on this machine may, others may not', () => {
  const may = maySeeMetrics(undefined);
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) assert.ok(may(from(address)), address);
  for (const address of ['10.0.0.1', '203.0.113.7', '2001:db8::1', '::ffff:10.0.0.1', '', undefined])
    assert.ok(!may(from(address)), address);
});

test('who comes by a proxy on this machine is not on this machine', () => {
  const may = maySeeMetrics(addressList(['10.0.0.0/8']));
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])
    assert.ok(!may(from('127.0.0.1', { [header]: '127.0.0.1' })), header);
  assert.ok(!may(from('203.0.113.7', { 'x-forwarded-for': '10.0.0.1' })), 'what a header says counts for nothing');
});

test('who is in the list may', () => {
  const may = maySeeMetrics(addressList(['10.0.0.0/8', '203.0.113.7', '2001:db8::/32']));
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '203.0.113.7', '2001:db8::5']) assert.ok(may(from(address)));
  for (const address of ['11.0.0.1', '203.0.113.8', '2001:db9::5']) assert.ok(!may(from(address)), address);
});

test('what is no address or prefix makes no list', () => {
  for (const wrong of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/x', '10.0.0/8', '::/129', '10.0.0.0/8/8', '10.0.0.0/'])
    assert.equal(addressList([wrong]), undefined, wrong);
});
