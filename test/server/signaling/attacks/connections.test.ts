import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SIGNALING_PATH } from '../../../../protocol/signaling.ts';
import { MAX_PACKETS_PER_SWEEP, MAX_WAITING_PACKETS } from '../../../../server/admission/limits.ts';
import { HEADERS_TIMEOUT_MS, MAX_SIGNALING_BYTES } from '../../../../server/limits.ts';
import { ask, connect, folderOf, joinSwarms, metric, run, testAddress, until } from '../../support.ts';
import { selfSigned } from '../../../harness/certificate.ts';
import { ATTACKER, offer, target } from './healthy.ts';
import { connected, joined, request, tcp, webSocket, type RawClient } from './raw-client.ts';

const POLL = `${SIGNALING_PATH}/?EIO=4&transport=polling`;
const from = { address: ATTACKER };

/** Connections that never join: 10,000 in the long form. */
const NEVER_JOINING = process.env['P2P_LONG'] === '1' ? 10_000 : 200;

test('connections that never join are ended in time, each kind of them, and are forgotten', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t, { limits: { joinSeconds: 1 } });
  const came: (RawClient | undefined)[] = [];
  // in waves, each of an address of its own: who opens them has no more than one core for both sides
  for (let wave = 0; wave < NEVER_JOINING / 200; wave++) {
    const of = { address: `198.51.100.${wave}` };
    const half = Array.from({ length: 100 });
    came.push(...(await Promise.all(half.map(() => webSocket(t, url, of)))));
    came.push(...(await Promise.all(half.map(() => connected(t, url, of).catch(() => undefined)))));
  }
  for (let i = 0; i < 20; i++) assert.equal((await ask(url, POLL)).status, 200);
  await assertHealthy();
  await Promise.all(came.map(async (client) => client?.gone()));
  await until('the pollers are gone, too', () => signaling.connections === 1);
  assert.equal(refused('never-joined'), NEVER_JOINING + 20);
  await assertHealthy();
});

test('who joins in time stays', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { limits: { joinSeconds: 1 } });
  const stays = await connect(t, url, ATTACKER);
  await joinSwarms(stays, ['x']);
  await (await webSocket(t, url, from)).gone(); // by then its time would be over, too
  assert.equal(stays.socket.connected, true);
  assert.equal(refused('never-joined'), 1);
  await assertHealthy();
});

test('a half-open connection is ended: one that says nothing, or only half', async (t) => {
  const { server, url } = await run(t, { addressOf: testAddress });
  const friend = await connect(t, url);
  await joinSwarms(friend, ['x']);
  const startedAt = Date.now();
  const silent = await tcp(t, url);
  const half = await tcp(t, url);
  half.socket.write(`GET ${POLL} HTTP/1.1\r\nhost: x\r\nx-slow: `);
  await Promise.all([silent, half].map((client) => client.gone()));
  assert.ok(Date.now() - startedAt < 2 * HEADERS_TIMEOUT_MS, `${Date.now() - startedAt} ms`);
  assert.equal((await joinSwarms(await connect(t, url), ['x'])).swarms[0]?.size, 2);
  assert.equal(server.signaling.peers, 2);
  assert.equal(await metric(url, 'p2p_http_broken_total{reason="timeout"}'), 2);
});

test('what is no HTTP, or has no end, is answered by a status, ended and counted', async (t) => {
  const { url } = await run(t, { addressOf: testAddress });
  const friend = await connect(t, url);
  await joinSwarms(friend, ['x']);
  for (const [status, text] of [
    [400, 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    [400, `GET ${POLL} HTTP/1.1\r\ncontent-length: a few\r\n\r\n`],
    [431, `GET ${POLL} HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`],
  ] as const) {
    const client = await tcp(t, url);
    client.socket.write(text);
    await client.gone();
    assert.match(client.head ?? '', new RegExp(`^HTTP/1.1 ${status} .*connection: close`, 'is'));
  }
  const leaves = await tcp(t, url);
  leaves.socket.end('GET / HT');
  await leaves.gone();
  // a proxy keeps its connections, and takes one that ends without a word for a server that is down
  const kept = await request(t, url, 'GET /healthz', {});
  await until('it is answered', () => kept.body !== '');
  kept.socket.write('nonsense\r\n\r\n');
  await kept.gone();
  assert.match(kept.body, /HTTP\/1.1 400 /);
  assert.equal(await metric(url, 'p2p_http_broken_total{reason="malformed"}'), 3);
  assert.equal(await metric(url, 'p2p_http_broken_total{reason="too-long"}'), 1);
  assert.equal((await joinSwarms(await connect(t, url), ['x'])).swarms[0]?.size, 2);
});

test('what is no TLS where there should be is ended and counted', async (t) => {
  const folder = await folderOf(t);
  const { cert, key } = selfSigned(folder);
  const { server, url } = await run(t, {
    tls: { cert: await readFile(cert), key: await readFile(key) },
    metricsPort: 0,
  });
  const client = await tcp(t, url);
  client.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await client.gone();
  assert.equal(client.head, undefined);
  const own = `http://127.0.0.1:${server.metricsPort}`;
  await until('it is counted', async () => (await metric(own, 'p2p_http_broken_total{reason="tls"}')) === 1);
});

test('so is one that answers no ping, and counted', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  const mute = await connected(t, url, from);
  mute.frame('42["join",{"version":1,"swarms":["x"]}]');
  await until('it has joined', () => signaling.peers === 2);
  await mute.gone();
  await until('it is no peer any more', () => signaling.peers === 1);
  assert.equal(refused('silent'), 1);
  await assertHealthy();
});

test('signals to who does not read are dropped and counted, its sender is told, and it is cut off', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t, { limits: { signals: 10_000, bytes: 1e9 } });
  const slow = await joined(t, url, 'x', from);
  const sender = await connect(t, url, ATTACKER);
  await joinSwarms(sender, ['x']);
  slow.client.pause();
  const signal = { ...offer, sdp: 'x'.repeat(8000) };
  const rss = process.memoryUsage().rss;
  for (let rounds = 0; refused('receiver-slow') === 0; rounds++) {
    assert.ok(rounds < 90, 'its buffers are larger than a sender may fill');
    await Promise.all(Array.from({ length: 20 }, () => sender.ask('signal', { to: slow.peer, signal })));
  }
  assert.equal((await sender.ask('signal', { to: slow.peer, signal })).code, 'unknown-peer');
  assert.ok(process.memoryUsage().rss - rss < 200e6);
  assert.ok(MAX_WAITING_PACKETS * 8000 < 1e6);
  // as one that answers the pings it does not read
  const pings = setInterval(() => slow.client.frame('3'), 1000);
  await until('it is cut off', () => refused('slow-reader') > 0, 40_000).finally(() => clearInterval(pings));
  await until('it is no peer any more', () => signaling.peers === 2);
  await assertHealthy();
});

/** Begins to poll. @returns the path of its further requests */
async function poller(url: string): Promise<string> {
  const { text } = await ask(url, POLL, { 'x-test-address': ATTACKER });
  return `${POLL}&sid=${/"sid":"([^"]+)"/.exec(text)?.[1] ?? ''}`;
}

const post = (t: Parameters<typeof request>[0], url: string, path: string, body: string, headers = {}) =>
  request(t, url, `POST ${path}`, { 'content-length': String(body.length), ...headers }, body);

test('a flood of polls and posts on one connection ends it, and costs what requests cost', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const path = await poller(url);
  const client = await post(t, url, path, '40');
  await until('it is answered', () => client.head);
  const body = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n6`;
  for (let i = 0; i < 2 * MAX_PACKETS_PER_SWEEP && !client.closed; i += 100) client.socket.write(body.repeat(100));
  await until('it is cut off', () => refused('packets') === 1);
  assert.equal((await ask(url, path)).status, 400, 'its session is gone');
  await assertHealthy();
});

test('a body that is too long, or does not say how long it is, is refused before it is read', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const path = await poller(url);
  const huge = await post(t, url, path, '', { 'content-length': String(1e9) });
  await huge.gone();
  assert.match(huge.head ?? '', /^HTTP\/1.1 413/);
  const chunked = await request(t, url, `POST ${path}`, { 'transfer-encoding': 'chunked' }, '1\r\n6\r\n');
  await chunked.gone();
  assert.match(chunked.head ?? '', /^HTTP\/1.1 411/);
  const named = await request(t, url, `POST ${path}`, { 'transfer-encoding': 'chunked', upgrade: 'h2c' }, '1\r\n6\r\n');
  await named.gone();
  assert.match(named.head ?? '', /^HTTP\/1.1 411/, 'a header alone makes no upgrade');
  const put = await request(t, url, `PUT ${path}`, { 'content-length': '0' });
  await put.gone();
  assert.match(put.head ?? '', /^HTTP\/1.1 405/);
  assert.equal(refused('bad-request'), 4);
  const full = await post(t, url, path, '6'.repeat(MAX_SIGNALING_BYTES));
  await until('the largest that is allowed is read', () => full.head);
  await assertHealthy();
});

test('a poll that is left open by a client that answers nothing ends with its session', async (t) => {
  const { url, signaling, assertHealthy } = await target(t, { limits: { joinSeconds: 600 } });
  const path = await poller(url);
  const open = await request(t, url, `GET ${path}`, {});
  await until('the session is ended', () => signaling.connections === 1, 30_000);
  await until('the poll is answered', () => open.head !== undefined || open.closed);
  await assertHealthy();
});

test('two polls at once, and binary by polling, end the session', async (t) => {
  const { url, signaling, assertHealthy } = await target(t);
  const twice = await poller(url);
  const first = await request(t, url, `GET ${twice}`, {}); // the handshake's rest, then it waits
  const second = await request(t, url, `GET ${twice}`, {});
  await until('one is refused', () => /400/.test(first.head ?? '') || /400/.test(second.head ?? ''));
  const binary = await poller(url);
  await post(t, url, binary, 'x', { 'content-type': 'application/octet-stream' });
  await until('both are ended', () => signaling.connections === 1);
  await assertHealthy();
});

test('ten thousand packets in one body are as many as one connection may send', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const path = await poller(url);
  await post(t, url, path, Array.from({ length: 10_000 }, () => '6').join('\x1e'));
  await until('it is cut off', () => refused('packets') > 0);
  await assertHealthy();
});
