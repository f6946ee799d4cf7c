/** What the server itself tells a viewer gives away no other viewer's address, and no site's name. */
import assert from 'node:assert/strict';
import { connect as connectTCP, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { siteOptions } from '../../../server/cli/site-flags.ts';
import { MAX_BAD_MESSAGES } from '../../../server/limits.ts';
import { connect, folderOf, joinSwarms, run, silent, until, type Client } from '../support.ts';

const NAMED = ['203.0.113.21', '203.0.113.22', '2001:db8:77::23'];
const OTHERS = ['198.51.100.24', '2001:db8:99:4200::25', '10.45.0.26'];
const NAME = 'north-campus-7';

/** As they are written, as blocks of them are, in hex, and as bytes. */
const GIVE_AWAY: readonly RegExp[] = [
  /203\.0\.113|cb00:?71(15|16)|cb007115/i,
  /198\.51\.100|c633:?6418/i,
  /10\.45\.|0a2d001a/i,
  /2001:0?db8|20010db8/i,
  new RegExp(NAME),
];

/** A way to the server that keeps every byte that comes back. */
async function tapped(t: TestContext, url: string): Promise<{ url: string; heard: () => string }> {
  const chunks: Buffer[] = [];
  const { port } = new URL(url);
  const tap = createServer((client) => {
    const upstream = connectTCP(Number(port), '127.0.0.1');
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy(upstream.destroy() as never));
  }).listen(0, '127.0.0.1');
  await once(tap, 'listening');
  t.after(() => tap.close());
  return {
    url: `http://127.0.0.1:${(tap.address() as AddressInfo).port}`,
    heard: () => Buffer.concat(chunks).toString('latin1'),
  };
}

const assertNothingGivenAway = (what: string, heard: string): void => {
  for (const pattern of GIVE_AWAY) assert.doesNotMatch(heard, pattern, what);
};

async function crowd(t: TestContext) {
  const folder = await folderOf(t, { 'sites.txt': `203.0.113.0/24 ${NAME}\n2001:db8:77::/48 ${NAME}\n` });
  const { url } = await run(t, siteOptions({ trustProxy: 1, sites: join(folder, 'sites.txt') }, silent));
  const from = (at: string, address: string, options = {}): Promise<Client> =>
    connect(t, at, '', { extraHeaders: { 'x-forwarded-for': address }, ...options });
  const members: Client[] = [];
  for (const address of [...NAMED, ...OTHERS]) {
    const client = await from(url, address);
    await joinSwarms(client, ['lesson']);
    members.push(client);
  }
  return { url, from, members };
}

for (const transport of ['websocket', 'polling'] as const)
  test(`neither answers, news, signals nor refusals tell of addresses or names of sites (${transport})`, async (t) => {
    const { url, from, members } = await crowd(t);
    const tap = await tapped(t, url);
    const viewer = await from(tap.url, '203.0.113.99', { transports: [transport] });
    const reply = await joinSwarms(viewer, ['lesson', 'page']);
    assert.equal(reply.swarms[0]?.members.length, NAMED.length, 'it is of the named site');
    assert.equal(reply.swarms[0].others.length, OTHERS.length);
    // what others cause: news, a signal, a neighbour that goes
    members[0]!.socket.disconnect();
    await until('news of it', () => viewer.states.some(({ size }) => size === 6));
    await members[3]!.ask('signal', { to: reply.peer, signal: { kind: 'refuse', connection: 1 } });
    await until('the signal', () => viewer.signals.length === 1);
    // what it causes itself
    const digest = 'ab'.repeat(32);
    assert.equal((await viewer.ask('claim', { swarm: 'lesson', digest })).ok, true);
    for (const [event, message] of [
      ['signal', { to: reply.swarms[0].keeper, signal: { kind: 'refuse', connection: 1 } }],
      ['signal', { to: '00'.repeat(16), signal: { kind: 'refuse', connection: 1 } }],
      ['join', { version: 99 }],
      ['join', null],
      ['claim', { swarm: 'elsewhere', digest }],
      ['leave', { swarms: ['page'] }],
      ['hack', {}],
    ] as const)
      await viewer.ask(event, message);
    const cutOff = new Promise((resolve) => viewer.socket.once('disconnect', resolve));
    for (let i = 0; i <= MAX_BAD_MESSAGES; i++) viewer.socket.emit('hack', i, () => undefined);
    await cutOff;
    const heard = tap.heard();
    assert.match(heard, /"sameSite":false/, 'the tap hears');
    assertNothingGivenAway(transport, heard);
  });

test('nor does anything over HTTP: files, errors, headers', async (t) => {
  const { url } = await crowd(t);
  const tap = await tapped(t, url);
  const headers = { 'x-forwarded-for': '203.0.113.99' };
  for (const path of [
    '/healthz',
    '/p2p/ice',
    '/p2p-manifest.json',
    '/media/none',
    '/p2p/leaves/x',
    '/%',
    '/p2p/signal/?EIO=4',
  ])
    for (const method of ['GET', 'HEAD', 'POST']) await (await fetch(tap.url + path, { method, headers })).text();
  assert.match(tap.heard(), /HTTP\/1\.1 404/, 'the tap hears');
  assertNothingGivenAway('HTTP', tap.heard());
});

test('the patterns find what they are for', () => {
  for (const address of [...NAMED, ...OTHERS, NAME, '203.0.113.0/24', '::ffff:cb00:7115'])
    assert.ok(
      GIVE_AWAY.some((pattern) => pattern.test(`{"site":"${address}"}`)),
      address,
    );
});
