import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer, MemoryDirectory } from '../../server/index.ts';
import { ask, bytes, connect, folderOf, joinSwarms, run, silent } from './support.ts';

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
  assert.deepEqual(await directory.leaveAll(peer), ['x']);
});

test('WebSockets that are not signaling are closed, not left hanging', async (t) => {
  const { url } = await run(t);
  const socket = connectSocket(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    'GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(socket.resume(), 'close');
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
