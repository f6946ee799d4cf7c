import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectTCP, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { MAX_UNSENT_BYTES } from '../../../../server/limits.ts';
import { SignalingEngine } from '../../../../server/signaling/transport/signaling-engine.ts';
import { WebSocketConnection } from '../../../../server/signaling/transport/web-socket-connection.ts';
import { ask, until } from '../../support.ts';

type Options = Partial<ConstructorParameters<typeof SignalingEngine>[0]>;

async function start(t: TestContext, options: Options = {}) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const engine = new SignalingEngine({ maxHttpBufferSize: 1000, transports: ['websocket', 'polling'], ...options });
  engine.attach(server, { path: '/signal', destroyUpgrade: false });
  const connections: WebSocketConnection[] = [];
  engine.on('connection', (connection: WebSocketConnection) => connections.push(connection));
  t.after(() => {
    engine.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { engine, connections, port, url: `ws://127.0.0.1:${port}/signal/?EIO=4&transport=websocket` };
}

/** A WebSocket that notes what it is told. */
async function open(t: TestContext, url: string) {
  const socket = new WebSocket(url);
  t.after(() => socket.terminate());
  const heard: string[] = [];
  socket.on('message', (data: Buffer) => heard.push(data.toString()));
  const closed = once(socket, 'close');
  await until('the handshake has come', () => heard.length > 0);
  return { socket, heard, closed };
}

const sidOf = ([handshake = '']: readonly string[]): string => (JSON.parse(handshake.slice(1)) as { sid: string }).sid;

test('a client hears what engine.io tells too, and packets go both ways', async (t) => {
  const { engine, connections, url } = await start(t);
  const { socket, heard } = await open(t, url);
  const { sid, ...rest } = JSON.parse(heard[0]!.slice(1)) as Record<string, unknown>;
  assert.match(String(sid), /^[\w-]{20}$/);
  assert.deepEqual(rest, { upgrades: [], pingInterval: 5000, pingTimeout: 5000, maxPayload: 1000 });
  assert.equal(engine.clientsCount, 1);
  const [connection] = connections as [WebSocketConnection];
  const data = once(connection, 'data');
  socket.send('4hello');
  assert.deepEqual(await data, ['hello']);
  connection.write('grüß dich');
  await until('the packet has come', () => heard.includes('4grüß dich'));
});

test('what is said in one turn comes in order, as much as it is, and before the end that follows it', async (t) => {
  const { connections, url } = await start(t);
  const { heard, closed } = await open(t, url);
  const said = Array.from({ length: 200 }, (_, number) => `4${number} ${'grüße '.repeat(30)}`);
  for (const text of said) connections[0]!.write(text.slice(1));
  connections[0]!.close();
  await closed;
  assert.deepEqual(heard.slice(1), said);
});

test('who comes to take over a connection by its id is turned away, and the connection goes on', async (t) => {
  const { connections, url } = await start(t);
  const { socket, heard } = await open(t, url);
  const thief = new WebSocket(`${url}&sid=${sidOf(heard)}`);
  await once(thief, 'close');
  const data = once(connections[0]!, 'data');
  socket.send('4still here');
  assert.deepEqual(await data, ['still here']);
});

test('polling by the id of a WebSocket is refused', async (t) => {
  const { port, url } = await start(t);
  const { heard } = await open(t, url);
  const path = `/signal/?EIO=4&transport=polling&sid=${sidOf(heard)}`;
  assert.equal((await ask(`http://127.0.0.1:${port}`, path)).status, 400);
});

test('who is not let in, or speaks another version, gets a status that says so and no connection', async (t) => {
  const { engine, port } = await start(t, {
    admit: () => Promise.resolve({ status: '403 Forbidden' as const, message: 'not today' }),
  });
  const reasons: unknown[] = [];
  engine.on('connection_error', ({ message }) => reasons.push(message));
  for (const [version, status] of [
    ['4', 403],
    ['3', 400],
  ]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/signal/?EIO=${version}&transport=websocket`);
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, new RegExp(String(status)));
  }
  assert.deepEqual(reasons, ['Forbidden', 'Forbidden']);
  assert.equal(engine.clientsCount, 0);
});

test('where nobody can say who is let in, the connection ends', async (t) => {
  const { engine, port } = await start(t, { admit: () => Promise.reject(new Error('nobody there')) });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/signal/?EIO=4&transport=websocket`);
  const [error] = (await once(socket, 'error')) as [Error];
  assert.match(error.message, /hang up/);
  assert.equal(engine.clientsCount, 0);
});

test('who answers no ping is ended, who says anything else stays', async (t) => {
  const { engine, connections, url } = await start(t, { pingInterval: 200 });
  const silent = await open(t, url);
  const lively = await open(t, url);
  lively.socket.on('message', (data: Buffer) => data.toString() === '2' && lively.socket.send('3'));
  const [reason] = (await once(connections[0]!, 'close')) as [string];
  assert.equal(reason, 'ping timeout');
  await silent.closed;
  await until('some more pings were answered', () => lively.heard.filter((text) => text === '2').length > 3);
  assert.equal(engine.clientsCount, 1);
});

test('what is no packet, or too large, ends the connection', async (t) => {
  const { engine, url } = await start(t);
  for (const bad of ['', '9', 'x', '2', `4${'x'.repeat(1000)}`]) {
    const { socket, closed } = await open(t, url);
    socket.send(bad);
    await closed;
  }
  assert.equal(engine.clientsCount, 0);
});

test('who does not read what it is sent is ended before it fills the memory', async (t) => {
  const { connections, port } = await start(t);
  const socket = connectTCP(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(
    'GET /signal/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  socket.pause();
  const connection = await until('the connection is there', () => connections[0]);
  let reason = '';
  connection.on('close', (why: string) => (reason = why));
  let written = 0;
  while (reason === '' && written < 100 * MAX_UNSENT_BYTES) {
    connection.write('x'.repeat(10_000));
    written += 10_000;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(reason, 'too slow');
  connection.write('into the void');
});

test('the request of the handshake is let go of', async (t) => {
  const { connections, url } = await start(t);
  await open(t, url);
  const [connection] = connections as [WebSocketConnection];
  assert.equal(connection.request?.url, new URL(url).pathname + new URL(url).search);
  connection.forgetRequest();
  assert.equal(connection.request, undefined);
});

test('closing the engine closes all with a closing frame', async (t) => {
  const { engine, url } = await start(t);
  const clients = [await open(t, url), await open(t, url)];
  engine.close();
  await Promise.all(clients.map(({ closed }) => closed));
  assert.equal(engine.clientsCount, 0);
});
