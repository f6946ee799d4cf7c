import './web-socket.ts';
import assert from 'node:assert/strict';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Server, type Socket } from 'socket.io';
import { ANSWER_TIMEOUT_MS, RECONNECT_AFTER_MS } from '../../../../mesh/core/limits.ts';
import type { Clock, SignalingListener, Trace } from '../../../../mesh/core/ports.ts';
import { systemClock, systemRandom } from '../../../../mesh/io/clock.ts';
import { SocketSignaling } from '../../../../mesh/io/signaling/socket-signaling.ts';
import type { Digest, PeerId, SwarmId } from '../../../../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/limits.ts';
import { SIGNALING_PATH, type JoinReply } from '../../../../protocol/signaling.ts';
import { RETRY_WHEN_FULL_SECONDS } from '../../../../server/admission/limits.ts';
import { createSignaling } from '../../../../server/signaling/create-signaling.ts';

const SWARM = 'https://school.test' as SwarmId;
const JOIN = { version: PROTOCOL_VERSION, swarms: [SWARM] };
const PEER = 'a'.repeat(32) as PeerId;

/** Waits for the condition, not for a time. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function listening(t: TestContext, port = 0): Promise<HttpServer & { readonly url: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** A server that does as the test says. */
async function ownServer(t: TestContext, connected: (socket: Socket) => void): Promise<{ url: string; io: Server }> {
  const http = await listening(t);
  const io = new Server(http, { path: SIGNALING_PATH });
  io.on('connection', connected);
  t.after(() => io.close());
  return { url: http.url, io };
}

interface Client {
  readonly signaling: SocketSignaling;
  readonly heard: string[];
  readonly traced: string[];
  /** Says `online` and `offline`. */
  readonly network: EventTarget;
}

function client(t: TestContext, url: string): Client {
  const heard: string[] = [];
  const traced: string[] = [];
  const network = new EventTarget();
  const trace: Trace = (_, text) => traced.push(text());
  const signaling = new SocketSignaling(url, { clock: systemClock, random: systemRandom, trace, network });
  const listener: SignalingListener = {
    connected: () => heard.push('connected'),
    disconnected: (reason) => heard.push(`disconnected ${reason}`),
    signal: ({ from, signal }) => heard.push(`signal ${from} ${signal.kind}`),
    swarm: ({ swarm, size }) => heard.push(`swarm ${swarm} ${size}`),
  };
  signaling.open(listener);
  t.after(() => signaling.close());
  return { signaling, heard, traced, network };
}

const count = (heard: readonly string[], what: string): number => heard.filter((line) => line.startsWith(what)).length;

async function joined({ signaling, heard }: Client): Promise<JoinReply> {
  await until(() => heard.includes('connected'), 'connected');
  const reply = await signaling.join(JOIN);
  assert.ok(reply.ok);
  return reply;
}

test('two peers join the real server, and pass an offer and an answer', async (t) => {
  const http = await listening(t);
  const server = createSignaling({ server: http });
  t.after(() => server.close());
  const [a, b] = [client(t, http.url), client(t, http.url)];
  const first = await joined(a);
  const second = await joined(b);
  assert.deepEqual(second.swarms[0]?.members, [first.peer]);
  assert.deepEqual(await b.signaling.signal({ to: first.peer, signal: { kind: 'offer', connection: 1, sdp: 'v=0' } }), {
    ok: true,
  });
  await until(() => a.heard.includes(`signal ${second.peer} offer`), 'the offer');
  await a.signaling.signal({ to: second.peer, signal: { kind: 'answer', connection: 1, sdp: 'v=0' } });
  await until(() => b.heard.includes(`signal ${first.peer} answer`), 'the answer');
  const nobody = await a.signaling.signal({ to: PEER, signal: { kind: 'answer', connection: 1, sdp: 'v=0' } });
  assert.ok(!nobody.ok && nobody.code === 'unknown-peer');
});

test('two peers of a site claim an asset at the real server, and the first crosses', async (t) => {
  const http = await listening(t);
  const server = createSignaling({ server: http });
  t.after(() => server.close());
  const [a, b] = [client(t, http.url), client(t, http.url)];
  const [first] = [await joined(a), await joined(b)];
  const claim = { swarm: SWARM, digest: '0f'.repeat(32) as Digest };
  const replies = [await a.signaling.claim(claim), await b.signaling.claim(claim)];
  assert.deepEqual(
    replies.map((reply) => reply.ok && reply.crosser),
    [first.peer, first.peer],
  );
  const elsewhere = await b.signaling.claim({ ...claim, swarm: 'elsewhere' as SwarmId });
  assert.ok(!elsewhere.ok && elsewhere.code === 'not-joined');
});

test('a claim that is answered against the protocol is a refusal, and one without a connection too', async (t) => {
  const { url } = await ownServer(t, (socket) =>
    socket.on('claim', (_: unknown, answer: (reply: unknown) => void) =>
      answer({ ok: true, crosser: 'me', since: -1 }),
    ),
  );
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  const claim = { swarm: SWARM, digest: '0f'.repeat(32) as Digest };
  const wrong = await signaling.claim(claim);
  assert.ok(!wrong.ok);
  assert.match(wrong.message, /broke the protocol/);
  signaling.close();
  assert.equal((await signaling.claim(claim)).ok, false);
});

test('a server that dies and comes back on its port is found again, and gives the same peer id', async (t) => {
  const http = await listening(t);
  const server = createSignaling({ server: http });
  const a = client(t, http.url);
  const { peer, resume } = await joined(a);
  const { port } = http.address() as AddressInfo;
  await server.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
  await until(() => count(a.heard, 'disconnected') > 0, 'disconnected');
  const again = await listening(t, port);
  const revived = createSignaling({ server: again });
  t.after(() => revived.close());
  await until(() => count(a.heard, 'connected') === 2, 'connected again');
  const reply = await a.signaling.join({ ...JOIN, resume });
  assert.ok(reply.ok);
  assert.equal(reply.peer, peer);
});

test('a server that is not there is reported with a reason, again and again, and throws nothing', async (t) => {
  const { heard } = client(t, 'http://127.0.0.1:1');
  await until(() => count(heard, 'disconnected') >= 2, 'two attempts');
  assert.equal(count(heard, 'connected'), 0);
  assert.match(heard[0]!, /^disconnected ./);
});

test('a server that ends each connection is tried again with pauses, not in a rush', async (t) => {
  const times: number[] = [];
  const { url } = await ownServer(t, (socket) => {
    times.push(performance.now());
    socket.disconnect();
  });
  client(t, url);
  await until(() => times.length >= 2, 'two attempts');
  for (const [i, time] of times.slice(1).entries())
    assert.ok(time - times[i]! >= RECONNECT_AFTER_MS / 2, `${time - times[i]!} ms`);
});

test('a server that lets us in and loses us at once is tried again with pauses that grow', async (t) => {
  const times: number[] = [];
  const { url } = await ownServer(t, (socket) => {
    times.push(performance.now());
    socket.conn.close();
  });
  client(t, url);
  await until(() => times.length >= 4, 'four attempts');
  assert.ok(times[3]! - times[2]! >= RECONNECT_AFTER_MS * 2, `${times[3]! - times[2]!} ms`);
});

test('pauses double up to a cap, and each is drawn from half of it to half as much again', async (t) => {
  for (const [random, expected] of [
    [0, [250, 500, 1000, 2000, 2000, 2000]],
    [1, [750, 1500, 3000, 6000, 6000, 6000]],
  ] as const) {
    const pauses: number[] = [];
    const after: Clock['after'] = (milliseconds, run) => {
      const isPause = (expected as readonly number[]).includes(milliseconds);
      if (isPause) pauses.push(milliseconds);
      return systemClock.after(isPause ? 0 : milliseconds, run);
    };
    const clock = { ...systemClock, now: () => systemClock.now(), after };
    const signaling = new SocketSignaling('http://127.0.0.1:1', {
      clock,
      random: () => random,
      trace: () => undefined,
      network: new EventTarget(),
    });
    t.after(() => signaling.close());
    signaling.open({
      connected: () => undefined,
      disconnected: () => undefined,
      signal: () => undefined,
      swarm: () => undefined,
    });
    await until(() => pauses.length >= expected.length, 'six pauses');
    assert.deepEqual(pauses.slice(0, expected.length), expected);
  }
});

test('what the server says wrongly is dropped with a trace, and what follows is heard', async (t) => {
  const { url } = await ownServer(t, (socket) => {
    for (const bad of [
      undefined,
      null,
      5,
      'x',
      [],
      {},
      { from: PEER, signal: { kind: { toString: 1, valueOf: 1 }, connection: 1 } },
    ]) {
      socket.emit('signal', bad);
      socket.emit('swarm', bad);
    }
    socket.emit('what is this', 1);
    socket.emit('signal', { from: PEER, sameSite: true, signal: { kind: 'offer', connection: 1, sdp: '' } });
    socket.emit('swarm', { swarm: SWARM, size: 1, siteSize: 1, sites: 1, keeper: PEER, next: [] });
  });
  const { heard, traced } = client(t, url);
  await until(() => heard.length === 3, 'what follows');
  assert.deepEqual(heard, ['connected', `signal ${PEER} offer`, `swarm ${SWARM} 1`]);
  assert.equal(traced.length, 14);
  assert.match(traced[0]!, /broke the protocol/);
});

test('a reply that broke the protocol is a refusal that says so', async (t) => {
  const { url } = await ownServer(t, (socket) =>
    socket.on('join', (_: unknown, answer: (reply: unknown) => void) => answer({ ok: true, peer: 'me' })),
  );
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  const reply = await signaling.join(JOIN);
  assert.ok(!reply.ok);
  assert.match(reply.message, /broke the protocol/);
});

test('a join that is never answered is a refusal in the end', async (t) => {
  const { url } = await ownServer(t, () => undefined);
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  const from = performance.now();
  const reply = await signaling.join(JOIN);
  assert.ok(!reply.ok);
  const took = performance.now() - from;
  assert.ok(took >= ANSWER_TIMEOUT_MS - 50 && took < ANSWER_TIMEOUT_MS + 2000, `${took} ms`);
});

test('after close() nothing is sent, nothing is heard, and questions are refused', async (t) => {
  const sockets: Socket[] = [];
  const { url } = await ownServer(t, (socket) => sockets.push(socket));
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected') && sockets.length === 1, 'connected');
  signaling.close();
  await until(() => !sockets[0]!.connected, 'gone at the server');
  const reply = await signaling.join(JOIN);
  assert.ok(!reply.ok);
  signaling.leave({ swarms: [SWARM] });
  assert.equal(count(heard, 'connected'), 1);
});

test('where no WebSocket passes, polling does', async (t) => {
  const http = await listening(t);
  http.on('upgrade', (_request, socket) => socket.destroy());
  const io = new Server(http, { path: SIGNALING_PATH, transports: ['polling'] });
  t.after(() => io.close());
  const { heard } = client(t, http.url);
  await until(() => heard.includes('connected'), 'connected by polling');
});

test('a packet that is none of socket.io ends the connection, and it is tried again', async (t) => {
  for (const packet of [
    '4x',
    '49',
    '42{}',
    '42[',
    '42',
    '43["no number"]',
    '451-["binary",{"_placeholder":true,"num":0}]',
  ]) {
    let connections = 0;
    const { url } = await ownServer(t, (socket) => {
      if (++connections === 1)
        (socket.conn.transport as unknown as { socket: { send(text: string): void } }).socket.send(packet);
    });
    const { heard } = client(t, url);
    await until(() => count(heard, 'connected') === 2, `connected again after ${packet}`);
    assert.deepEqual(heard, ['connected', 'disconnected the server speaks no socket.io', 'connected']);
  }
});

test('a server that does not let us in is tried again, and its reason is told', async (t) => {
  const { url, io } = await ownServer(t, () => undefined);
  let refused = 0;
  io.use((_, next) => (refused++ === 0 ? next(new Error('the house is full')) : next()));
  const { heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  assert.match(heard[0]!, /^disconnected the house is full/);
});

test('a full server is left alone for as long as it says', async (t) => {
  const http = await listening(t);
  const server = createSignaling({ server: http, admission: { limits: { connectionsPerAddress: 1 } } });
  t.after(() => server.close());
  await joined(client(t, http.url));
  const pauses: number[] = [];
  const clock = {
    ...systemClock,
    after: (milliseconds: number, run: () => void) => {
      pauses.push(milliseconds);
      return systemClock.after(milliseconds, run);
    },
  };
  const heard: string[] = [];
  const signaling = new SocketSignaling(http.url, {
    clock,
    random: () => 0.5,
    trace: () => undefined,
    network: new EventTarget(),
  });
  t.after(() => signaling.close());
  signaling.open({
    connected: () => heard.push('connected'),
    disconnected: (reason) => heard.push(reason),
    signal: () => undefined,
    swarm: () => undefined,
  });
  await until(() => heard.length > 0, 'the refusal');
  assert.match(heard[0] ?? '', /is full/);
  await until(() => pauses.at(-1) === 1000 * RETRY_WHEN_FULL_SECONDS + RECONNECT_AFTER_MS, 'its pause');
});

test('a report reaches the server', async (t) => {
  const reported: unknown[] = [];
  const { url } = await ownServer(t, (socket) => socket.on('report', (message: unknown) => reported.push(message)));
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  signaling.report({ peer: PEER });
  await until(() => reported.length === 1, 'the report');
  assert.deepEqual(reported, [{ peer: PEER }]);
});

test('questions under way are refused at once when the connection ends', async (t) => {
  const { url } = await ownServer(t, (socket) => socket.on('join', () => socket.conn.close()));
  const { signaling, heard } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  const from = performance.now();
  const reply = await signaling.join(JOIN);
  assert.ok(!reply.ok && reply.retryAfter);
  assert.ok(performance.now() - from < ANSWER_TIMEOUT_MS / 2);
});

test('a server whose pings stay away is given up', async (t) => {
  const http = await listening(t);
  const io = new Server(http, { path: SIGNALING_PATH, pingInterval: 60, pingTimeout: 60 });
  t.after(() => io.close());
  io.on('connection', (socket) => {
    const { transport } = socket.conn as unknown as { transport: { send(packets: unknown[]): void } };
    transport.send = () => undefined; // What it says gets lost on the way,
    (io.engine as { opts: { pingTimeout: number } }).opts.pingTimeout = 60_000; // and it stays patient, other than it told.
  });
  const { heard } = client(t, http.url);
  await until(() => count(heard, 'disconnected') > 0, 'given up');
  assert.deepEqual(heard, ['connected', 'disconnected the server was silent']);
});

test('a server that pings is stayed with', async (t) => {
  const http = await listening(t);
  const io = new Server(http, { path: SIGNALING_PATH, pingInterval: 30, pingTimeout: 200 });
  t.after(() => io.close());
  let pongs = 0;
  io.on('connection', (socket) => socket.conn.on('heartbeat', () => pongs++));
  const { heard } = client(t, http.url);
  await until(() => pongs >= 10, 'ten answers to pings');
  assert.deepEqual(heard, ['connected']);
});

test('a device that goes offline says so, and is back as soon as the network is', async (t) => {
  const { url } = await ownServer(t, () => undefined);
  const { heard, network } = client(t, url);
  await until(() => heard.includes('connected'), 'connected');
  network.dispatchEvent(new Event('offline'));
  await until(() => heard.length === 2, 'disconnected');
  const from = performance.now();
  network.dispatchEvent(new Event('online'));
  await until(() => heard.length === 3, 'connected again');
  assert.deepEqual(heard, ['connected', 'disconnected offline', 'connected']);
  assert.ok(performance.now() - from < RECONNECT_AFTER_MS / 2, 'without the pause');
});

test('where a page may not open a WebSocket at all, that is a failed attempt like others', async (t) => {
  const real = globalThis.WebSocket;
  t.after(() => Object.assign(globalThis, { WebSocket: real }));
  Object.assign(globalThis, {
    WebSocket: function () {
      throw new DOMException('insecure', 'SecurityError');
    },
  });
  const { heard } = client(t, 'http://127.0.0.1:1');
  await until(() => count(heard, 'disconnected') >= 2, 'two attempts');
  assert.equal(count(heard, 'connected'), 0);
});
