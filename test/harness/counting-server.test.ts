import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { countingServer, type CountingServer } from './counting-server.ts';
import { until } from './until.ts';

async function origin(t: TestContext, listener?: RequestListener): Promise<{ server: Server; proxy: CountingServer }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await countingServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(async () => {
    await proxy.dropAll();
    server.closeAllConnections();
    server.close();
  });
  return { server, proxy };
}

test('each request is noted with its range, referrer, status, encoding and bytes', async (t) => {
  const { proxy } = await origin(t, (request, response) => {
    response.writeHead(206, { 'Content-Encoding': 'identity' });
    response.end(request.method === 'HEAD' ? undefined : Buffer.alloc(100_000));
  });
  const answer = await fetch(`${proxy.url}/a.ts?x=1`, {
    headers: { Range: 'bytes=0-99999', Referer: `${proxy.url}/page` },
  });
  assert.equal((await answer.arrayBuffer()).byteLength, 100_000);
  const [noted] = await until('the note', () => proxy.requests[0]?.state === 'complete' && proxy.requests);
  assert.ok(noted!.clientPort > 0);
  const { method, url, range, referrer, status, encoding, bytes } = noted!;
  assert.deepEqual(
    { method, url, range, referrer, status, encoding, bytes },
    {
      method: 'GET',
      url: '/a.ts?x=1',
      range: 'bytes=0-99999',
      referrer: `${proxy.url}/page`,
      status: 206,
      encoding: 'identity',
      bytes: 100_000,
    },
  );
  assert.equal(proxy.bytes(/\.ts/), 100_000);
  assert.equal(proxy.bytes(/\.png/), 0);
});

test('a client that gives up ends the request at the origin', async (t) => {
  let closed = false;
  const { proxy } = await origin(t, (_request, response) => {
    response.on('close', () => (closed = true));
    response.write('first');
  });
  const controller = new AbortController();
  const answer = await fetch(`${proxy.url}/slow`, { signal: controller.signal });
  await answer.body!.getReader().read();
  controller.abort();
  await until('the close at the origin', () => closed);
  await until('the note', () => proxy.requests[0]?.state === 'aborted');
  assert.equal(proxy.requests[0]!.bytes, 5);
});

test('WebSockets pass, and dropAll cuts them until it listens again on the same port', async (t) => {
  const { server, proxy } = await origin(t);
  const signaling = new SocketServer(server);
  signaling.on('connection', (socket) =>
    socket.on('echo', (text: string, reply: (text: string) => void) => reply(text)),
  );
  const client = io(proxy.url, { transports: ['websocket'], reconnectionDelay: 20, reconnectionDelayMax: 50 });
  t.after(() => client.close());
  await until('the connection', () => client.connected);
  assert.equal(await client.emitWithAck('echo', 'hello'), 'hello');
  assert.equal(proxy.matching(/transport=websocket/)[0]?.status, 101);
  const { url } = proxy;
  await proxy.dropAll();
  await until('the cut', () => !client.connected);
  await assert.rejects(fetch(url));
  await proxy.listen();
  assert.equal(proxy.url, url);
  await until('the new connection', () => client.connected);
});
