/** The small parts that admission is made of. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Admission } from '../../../server/admission/admission.ts';
import type { EngineSocket } from '../../../server/admission/engine-socket.ts';
import { noRefusals } from '../../../server/admission/refusals.ts';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { PeerId } from '../../../protocol/ids.ts';
import { addressKey } from '../../../server/admission/address-key.ts';
import { connectWindow, limiterOf } from '../../../server/admission/connect-limiter.ts';
import { Deadlines } from '../../../server/admission/deadlines.ts';
import { Introductions } from '../../../server/admission/introductions.ts';
import {
  BAD_FOR_MS,
  DEFAULT_LIMITS,
  MAX_INTRODUCED,
  MAX_REPORTED,
  REPORT_VALID_MS,
  REPORTING_SITES_NEEDED,
  REPORTING_SITES_NEEDED_WITHOUT_TOKENS,
} from '../../../server/admission/limits.ts';
import { pacesOf } from '../../../server/admission/pace.ts';
import { networkOf, Reports, type Reporter } from '../../../server/admission/reports.ts';
import { MemorySubjects } from '../../../server/admission/subjects.ts';
import { Tally } from '../../../server/admission/tally.ts';
import { Visit } from '../../../server/admission/visit.ts';
import { siteOf, type SiteKey } from '../../../server/site.ts';

const peer = (index: number): PeerId => index.toString(16).padStart(32, '0') as PeerId;

test('the documented limits are these', () => {
  assert.deepEqual(DEFAULT_LIMITS, {
    connections: 50_000,
    connectionsPerAddress: 20_000,
    connectionsPerSite: 30_000,
    connectsPerAddress: 2000,
    joins: 4,
    signals: 50,
    claims: 20,
    bytes: 65_536,
    messageBytes: 65_536,
    joinSeconds: 10,
  });
  assert.ok(DEFAULT_LIMITS.connectionsPerAddress < DEFAULT_LIMITS.connections / 2, 'no address can take every place');
});

test('an address is an IPv4 address, or an IPv6 /56', () => {
  assert.equal(addressKey('203.0.113.7'), '203.0.113.7');
  assert.equal(addressKey('10.1.2.3'), '10.1.2.3', 'not the whole network, as a site is');
  assert.equal(addressKey('::ffff:10.1.2.3'), '10.1.2.3');
  assert.equal(addressKey('2001:db8:0:1200::1'), addressKey('2001:db8:0:12ff:9::7'));
  assert.notEqual(addressKey('2001:db8:0:1200::1'), addressKey('2001:db8:0:1300::1'));
});

test('a limiter says after how many seconds to come again, and passes on that it can not tell', async () => {
  const limiter = limiterOf(new RateLimiterMemory(connectWindow(0.2))); // two in ten seconds
  assert.deepEqual([await limiter.take('a'), await limiter.take('a'), await limiter.take('b')], [0, 0, 0]);
  const wait = await limiter.take('a');
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 10, String(wait));
  const broken = new RateLimiterMemory(connectWindow(1));
  broken.consume = () => Promise.reject(new Error('connection lost'));
  await assert.rejects(limiterOf(broken).take('a'), /connection lost/);
});

test('what is paced may come in a burst, then one by one, and who waits has a burst again', () => {
  const visit = new Visit(null as never, null as never, { address: '', site: siteOf(''), refusedFor: null });
  const pace = { interval: 100, burst: 3 };
  const take = (now: number): number => visit.take('joins', pace, now);
  assert.deepEqual([take(1000), take(1000), take(1000)], [0, 0, 0]);
  assert.equal(take(1000), 100, 'milliseconds until the next');
  assert.equal(take(1050), 50);
  assert.equal(take(1100), 0);
  assert.equal(take(1100), 100, 'what was refused cost nothing');
  assert.deepEqual([take(9000), take(9000), take(9000), take(9000)], [0, 0, 0, 100]);
  assert.equal(visit.take('signals', pace, 1000), 0, 'each thing by itself');
});

test('bytes that came between two looks count as a burst', () => {
  const { interval, burst } = pacesOf({ ...DEFAULT_LIMITS, bytes: 1e6 }).bytes;
  assert.ok(interval * burst >= 2000, 'two seconds at full rate are no offence');
});

test('deadlines come up in order, once, and not for who was in time', () => {
  const deadlines = new Deadlines<string>(100);
  deadlines.add('a', 0);
  deadlines.add('b', 10);
  deadlines.add('c', 20);
  deadlines.add('a', 50); // keeps its time
  deadlines.delete('b');
  assert.deepEqual(deadlines.takeOverdue(99), []);
  assert.deepEqual(deadlines.takeOverdue(110), ['a']);
  assert.deepEqual(deadlines.takeOverdue(1000), ['c']);
  assert.equal(deadlines.size, 0);
});

test('a tally forgets what it counts no more', () => {
  const tally = new Tally();
  tally.add('a');
  tally.add('a');
  tally.remove('a');
  assert.deepEqual([tally.of('a'), tally.of('b'), tally.size], [1, 0, 1]);
  tally.remove('a');
  tally.remove('a');
  assert.deepEqual([tally.of('a'), tally.size], [0, 0]);
});

test('introductions are bounded: the oldest is forgotten', () => {
  const introductions = new Introductions();
  assert.equal(introductions.mayReach(peer(0)), false);
  for (let i = 0; i <= MAX_INTRODUCED; i++) introductions.introduced(peer(i));
  for (let i = 0; i < 10; i++) introductions.introduced(peer(MAX_INTRODUCED));
  assert.equal(introductions.size, MAX_INTRODUCED);
  assert.deepEqual(
    [0, 1, MAX_INTRODUCED].map((index) => introductions.mayReach(peer(index))),
    [false, true, true],
  );
});

test('a subject has places, a peer holds one however often, and what is given back is free', async () => {
  const subjects = new MemorySubjects();
  assert.deepEqual(
    [await subjects.take('a', peer(1), 1), await subjects.take('a', peer(1), 1), await subjects.take('a', peer(2), 1)],
    [true, true, false],
  );
  assert.equal(await subjects.take('b', peer(2), 1), true);
  subjects.release('a', peer(1));
  assert.equal(await subjects.take('a', peer(2), 1), false, 'it has one hold left');
  subjects.release('a', peer(1));
  subjects.release('a', peer(1));
  assert.equal(await subjects.take('a', peer(2), 1), true);
  subjects.release('a', peer(2));
  subjects.release('b', peer(2));
  assert.equal(subjects.size, 0);
});

const [ONE, TWO] = ['203.0.113.1', '203.0.113.2'];
const from = (voice: string, address: string): Reporter => ({
  voice,
  site: siteOf(address.split('/')[0] ?? ''),
  network: networkOf(address),
});

test('three voices of two sites put a peer out, for a time', () => {
  const reports = new Reports(REPORTING_SITES_NEEDED);
  const voices = [from('a', ONE), from('b', ONE), from('c', TWO)];
  assert.deepEqual(
    voices.map((voice) => reports.report(peer(1), voice, 0)),
    [false, false, true],
  );
  assert.equal(reports.badFor(peer(1), 1000), BAD_FOR_MS - 1000);
  assert.equal(reports.badFor(peer(2), 1000), 0);
  assert.equal(reports.badFor(peer(1), BAD_FOR_MS), 0);
  assert.equal(reports.report(peer(1), from('a', ONE), BAD_FOR_MS), false, 'and then all begins anew');
});

test('where anybody can be many peers, one house with IPv4 and a /48 of IPv6 puts nobody out', () => {
  const reports = new Reports(REPORTING_SITES_NEEDED_WITHOUT_TOKENS);
  const house = [ONE, ...Array.from({ length: 5 }, (_, index) => `2001:db8:1:${index}00::/56`)];
  for (const [index, address] of house.entries())
    assert.equal(reports.report(peer(1), from(`${index}`, address), 0), false);
  assert.equal(reports.report(peer(1), from('a', TWO), 0), true);
  const named = new Reports(REPORTING_SITES_NEEDED_WITHOUT_TOKENS);
  for (const address of ['198.51.100.1', '198.51.100.2', '198.51.100.3'])
    assert.equal(
      named.report(peer(1), { ...from(address, address), site: 'school' as SiteKey }, 0),
      false,
      'by --sites',
    );
});

test('one voice counts once, three of one site do not suffice, and what was said long ago is over', () => {
  const reports = new Reports(REPORTING_SITES_NEEDED);
  for (let i = 0; i < 10; i++) assert.equal(reports.report(peer(1), from('a', i % 2 ? ONE : TWO), i), false);
  for (let i = 0; i < 20; i++) assert.equal(reports.report(peer(2), from(`${i}`, ONE), i), false);
  const other = new Reports(REPORTING_SITES_NEEDED);
  other.report(peer(1), from('a', ONE), 0);
  other.report(peer(1), from('b', ONE), 1000);
  assert.equal(other.report(peer(1), from('c', TWO), REPORT_VALID_MS), false, 'the first has expired');
  const later = REPORT_VALID_MS + 1000;
  assert.equal(other.report(peer(1), from('d', TWO), later), false, 'and so has the second, by now');
  assert.equal(other.report(peer(1), from('e', ONE), later), true);
});

test('however many are reported, so many are remembered', () => {
  const reports = new Reports(REPORTING_SITES_NEEDED);
  for (let i = 0; i < MAX_REPORTED + 100; i++) reports.report(peer(i), from('a', ONE), i);
  assert.equal(reports.size, MAX_REPORTED);
});

test('a connection that ends for a fault of its client is counted by it, one that just ends is not', (t) => {
  const counts = noRefusals();
  const admission = new Admission(
    {},
    { counts, log: undefined, addressOf: () => '203.0.113.1', siteOf: () => '203.0.113.1' as SiteKey },
  );
  t.after(() => admission.close());
  for (const reason of ['parse error', 'too long', 'ping timeout', 'too slow', 'transport close', 'forced close']) {
    const connection = Object.assign(new EventEmitter(), { request: {}, transport: { name: 'polling' } });
    admission.enter(connection as unknown as EngineSocket);
    connection.emit('close', reason);
  }
  assert.equal(admission.connections, 0);
  const counted = Object.entries(counts).filter(([, count]) => count > 0);
  assert.deepEqual(Object.fromEntries(counted), { 'bad-packet': 1, 'too-long': 1, silent: 1, 'slow-reader': 1 });
});
