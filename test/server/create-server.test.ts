import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SIGNALING_PATH } from '../../protocol/signaling.ts';
import { createServer, MemoryDirectory } from '../../server/index.ts';
import { HTTP_SILENCE_MS } from '../../server/limits.ts';
import { ask, bytes, connect, folderOf, joinSwarms, run, silent, until } from './support.ts';

test('a missing media folder is told at once, with what to do', async (t) => {
  const folder = await folderOf(t, { file: 'x' });
  assert.throws(() => createServer({ media: join(folder, 'missing'), log: silent }), {
    code: 'bad-flag',
    message: /does not exist.*--media DIR/,
  });
  assert.throws(() => createServer({ media: join(folder, 'file'), log: silent }), {
    code: 'bad-flag',
    message: /is none/,
  });
});

test('a taken port rejects listen', async (t) => {
  const { server } = await run(t);
  const port = Number(new URL(server.urls.local ?? '').port);
  const second = createServer({ port, host: '127.0.0.1', media: await folderOf(t), log: silent });
  await assert.rejects(second.listen(), { code: 'EADDRINUSE' });
  await second.close();
});

test('listening does not wait for hashing', async (t) => {
  const media = await folderOf(t, { 'film.mp4': bytes(30_000_000) });
  const server = createServer({ port: 0, host: '127.0.0.1', media, log: silent });
  t.after(() => server.close());
  await server.listen();
  assert.equal((await ask(server.urls.local ?? '', '/healthz')).status, 200);
});

test("one port has pages and signaling, with a directory of one's own", async (t) => {
  const directory = new MemoryDirectory();
  const { url, server } = await run(t, { directory });
  const { peer } = await joinSwarms(await connect(t, url), ['x']);
  assert.equal(server.signaling.peers, 1);
  assert.deepEqual(directory.leaveAll(peer), ['x']);
});

/** A bare socket that asks for a WebSocket and never says another word. Left open for 3 s it fails, lest a broken server hang the tests. */
function upgrade(t: TestContext, url: string, path: string): Socket {
  const socket = connectSocket(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.setTimeout(3000, () => socket.destroy(new Error('the server left the socket open')));
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  return socket;
}

for (const path of ['/elsewhere', '/p2p/signal', '/p2p/signalx', '/p2p/signal?EIO=4&transport=websocket'])
  test(`a WebSocket that is not signaling is closed, not left hanging: ${path}`, async (t) => {
    const { url } = await run(t);
    await once(upgrade(t, url, path).resume(), 'close');
  });

for (const path of ['/p2p/signal', '/p2p/signalx', '/p2p/signal/?EIO=4&transport=websocket'])
  test(`a client that resets its WebSocket does not end the server: ${path}`, async (t) => {
    const { server, url } = await run(t);
    const accepted = once(server.http, 'upgrade') as Promise<[IncomingMessage, Socket]>;
    const client = upgrade(t, url, path);
    const [, socket] = await accepted;
    client.resetAndDestroy();
    await until('the server has noticed', () => socket.destroyed);
    assert.equal((await ask(url, '/healthz')).status, 200);
  });

test('closing ends idle and busy connections within 2 s, and twice is harmless', async (t) => {
  const { server, url } = await run(t, { media: await folderOf(t, { 'film.mp4': bytes(30_000_000) }) });
  const keepAlive = await fetch(`${url}/healthz`);
  await keepAlive.text();
  const slow = await fetch(`${url}/media/film.mp4`);
  await connect(t, url);
  const startedAt = Date.now();
  await Promise.all([server.close(), server.close()]);
  assert.ok(Date.now() - startedAt < 2000);
  await assert.rejects(ask(url, '/healthz'));
  await slow.body?.cancel().catch(() => undefined);
});

test('closing ends a WebSocket that does not answer within 2 s', async (t) => {
  const { server, url } = await run(t);
  const mute = upgrade(t, url, `${SIGNALING_PATH}/?EIO=4&transport=websocket`);
  const [answer] = (await once(mute, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 101 /);
  const startedAt = Date.now();
  await Promise.all([server.close(), once(mute.resume(), 'close')]);
  assert.ok(Date.now() - startedAt < 2000, `${Date.now() - startedAt} ms`);
});

test('a server that never listened can be closed', async (t) => {
  await createServer({ media: await folderOf(t), log: silent }).close();
});

test('a client that goes away in the middle of a file does not disturb the server', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'film.mp4': bytes(30_000_000) }) });
  for (let i = 0; i < 5; i++) {
    const response = await fetch(`${url}/media/film.mp4`);
    await response.body?.cancel();
  }
  assert.equal((await ask(url, '/healthz')).status, 200);
});

test('a client that takes nothing of its answer is cut off, and a WebSocket that is quiet is not', async (t) => {
  const { url, server } = await run(t, { media: await folderOf(t, { 'film.mp4': bytes(30_000_000) }) });
  assert.equal(server.http.timeout, HTTP_SILENCE_MS);
  server.http.setTimeout(500);
  const peer = await connect(t, url);
  await joinSwarms(peer, ['x']);
  const { hostname, port } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.pause();
  socket.write('GET /media/film.mp4 HTTP/1.1\r\nhost: test\r\n\r\n');
  const held = (): Promise<number> =>
    new Promise((resolve) => server.http.getConnections((_error, count) => resolve(count)));
  await until('it is there', async () => (await held()) === 2);
  await until('it is cut off', async () => (await held()) === 1);
  assert.equal(peer.socket.connected, true);
});
