import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { MAX_CLAIMS, MAX_SWARMS } from '../../../protocol/limits.ts';
import type { ClaimReply, JoinReply, Refusal } from '../../../protocol/signaling.ts';
import { JOIN_BURST } from '../../../server/admission/limits.ts';
import { MAX_BAD_MESSAGES, MAX_PENDING_REQUESTS } from '../../../server/limits.ts';
import { createSignaling, expiringIce, MemoryDirectory, type SignalingOptions } from '../../../server/index.ts';
import { peerIdOf } from '../../../server/signaling/identity.ts';
import type { Directory } from '../../../server/signaling/directory.ts';
import { ask, connect, joinSwarms, testAddress, until, type Client } from '../support.ts';

const RED = '203.0.113.1';
const BLUE = '203.0.113.2';
const offer = { kind: 'offer', connection: 1, sdp: 'v=0' };

/** Resolves with the reason when the client is disconnected. */
const gone = (client: Client): Promise<string> => new Promise((resolve) => client.socket.once('disconnect', resolve));

async function start(t: TestContext, options: Partial<SignalingOptions> = {}, port = 0) {
  const server = createServer((_request, response) => response.end('the app')).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const signaling = createSignaling({ server, addressOf: testAddress, ...options });
  const stop = async (): Promise<void> => {
    await signaling.close();
    server.closeAllConnections();
    server.close();
  };
  t.after(stop);
  return {
    signaling,
    stop,
    server,
    port: (server.address() as AddressInfo).port,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
}

test('the first peer of a swarm is told that it is alone, and is keeper', async (t) => {
  const iceServers = [{ urls: 'stun:stun.example' }];
  const { url } = await start(t, { iceServers });
  const reply = await joinSwarms(await connect(t, url), ['lesson']);
  assert.equal(reply.peer, peerIdOf(reply.resume));
  assert.deepEqual(reply.iceServers, iceServers);
  assert.deepEqual(reply.swarms, [
    { swarm: 'lesson', size: 1, siteSize: 1, sites: 1, keeper: reply.peer, next: [], members: [], others: [] },
  ]);
});

test('each join gives its peer TURN credentials of its own; one with no swarms gives new ones and nothing else', async (t) => {
  let secret = 'the first secret of the test';
  const options = { urls: ['turn:turn.example'], secret: () => secret, ttl: 600 };
  const { url } = await start(t, { iceServers: expiringIce([], options) });
  const client = await connect(t, url);
  const first = await joinSwarms(client, ['x']);
  assert.equal(first.iceTTL, 600);
  assert.match(first.iceServers[0]?.username ?? '', new RegExp(`^\\d{10}:${first.peer}$`));
  secret = 'the second secret of the test';
  const renewed = await joinSwarms(client, [], first.resume);
  assert.deepEqual([renewed.peer, renewed.swarms], [first.peer, []]);
  assert.notEqual(renewed.iceServers[0]?.credential, first.iceServers[0]?.credential);
  const other = await joinSwarms(await connect(t, url), ['x']);
  assert.deepEqual(other.swarms[0]?.members, [first.peer], 'it is still in its swarm');
  assert.doesNotMatch(JSON.stringify(other), /secret/);
});

test('a newcomer is told its site and the others apart, and no address', async (t) => {
  const { url } = await start(t);
  const a = await joinSwarms(await connect(t, url, RED), ['lesson']);
  const b = await joinSwarms(await connect(t, url, BLUE), ['lesson']);
  const c = await joinSwarms(await connect(t, url, RED), ['lesson', 'page']);
  const [lesson, page] = c.swarms;
  assert.deepEqual(lesson, {
    swarm: 'lesson',
    size: 3,
    siteSize: 2,
    sites: 2,
    keeper: a.peer,
    next: [c.peer],
    members: [a.peer],
    others: [b.peer],
  });
  assert.equal(page?.size, 1);
  assert.ok(!JSON.stringify(c).includes('203.0.113'));
});

test('joining again on the same socket adds swarms and tells of those named', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  const first = await joinSwarms(client, ['a']);
  const second = await joinSwarms(client, ['b']);
  assert.equal(second.peer, first.peer);
  assert.equal(second.resume, first.resume);
  assert.deepEqual(
    second.swarms.map(({ swarm }) => swarm),
    ['b'],
  );
  const other = await joinSwarms(await connect(t, url), ['a', 'b']);
  assert.deepEqual(
    other.swarms.map(({ members }) => members),
    [[first.peer], [first.peer]],
  );
});

test('a signal reaches the peer it is for, with the id of who sent it', async (t) => {
  const { url, signaling } = await start(t);
  const [a, b] = [await connect(t, url, RED), await connect(t, url, BLUE)];
  const [alice, bob] = [await joinSwarms(a, ['x']), await joinSwarms(b, ['x'])];
  assert.deepEqual(await a.ask('signal', { to: bob.peer, signal: { ...offer, junk: 1 } }), { ok: true });
  await until('the signal arrives', () => b.signals.length === 1);
  assert.deepEqual(b.signals, [{ from: alice.peer, sameSite: false, signal: offer }]);
  assert.equal(signaling.counters.relayed, 1);
});

test('signals from who has not joined, to nobody, and to oneself are refused in words', async (t) => {
  const { url } = await start(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  const { peer } = await joinSwarms(a, ['x']);
  const early = await b.ask('signal', { to: peer, signal: offer });
  assert.equal(early.code, 'not-joined');
  for (const to of ['00'.repeat(16), peer]) {
    const reply = await a.ask('signal', { to, signal: offer });
    assert.equal(reply.code, 'unknown-peer');
    assert.match(reply.message ?? '', /may have left/);
  }
  assert.equal((await b.ask('leave', { swarms: ['x'] })).code, 'not-joined');
});

test('a peer that disconnects is gone: from the directory, for signals, and the next in line is keeper', async (t) => {
  const { url } = await start(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  const [alice, bob] = [await joinSwarms(a, ['x']), await joinSwarms(b, ['x'])];
  a.socket.disconnect();
  const state = await until('bob is keeper', () =>
    b.states.find(({ keeper, size }) => keeper === bob.peer && size === 1),
  );
  assert.deepEqual(state.next, []);
  assert.equal((await b.ask('signal', { to: alice.peer, signal: offer })).code, 'unknown-peer');
});

test('leaving one swarm leaves the others', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  await joinSwarms(client, ['a', 'b']);
  assert.deepEqual(await client.ask('leave', { swarms: ['a', 'never joined'] }), { ok: true });
  const other = await joinSwarms(await connect(t, url), ['a', 'b']);
  assert.deepEqual(
    other.swarms.map(({ size }) => size),
    [1, 2],
  );
});

test('members hear of changes in their swarm only', async (t) => {
  const { url } = await start(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  await joinSwarms(a, ['a']);
  await joinSwarms(b, ['b']);
  await joinSwarms(await connect(t, url), ['a']);
  await until('a hears of the newcomer', () => a.states.some(({ swarm, size }) => swarm === 'a' && size === 2));
  assert.ok(b.states.every(({ swarm }) => swarm === 'b'));
});

test('a peer that comes back with its secret has its id again, also at a server that never saw it', async (t) => {
  const first = await start(t);
  const { peer, resume } = await joinSwarms(await connect(t, first.url), ['x']);
  const second = await start(t);
  assert.equal((await joinSwarms(await connect(t, second.url), ['x'], resume)).peer, peer);
});

test('a peer that comes back while its old socket hangs takes over its place in line and its signals', async (t) => {
  const { url, signaling } = await start(t);
  const old = await connect(t, url);
  const { peer, resume } = await joinSwarms(old, ['x', 'given up']);
  const friend = await connect(t, url);
  await joinSwarms(friend, ['x']);
  const again = await connect(t, url);
  const left = gone(old);
  const reply = await joinSwarms(again, ['x'], resume);
  await left;
  assert.equal(reply.peer, peer);
  assert.deepEqual([reply.swarms[0]?.keeper, reply.swarms[0]?.size], [peer, 2]);
  assert.deepEqual(await friend.ask('signal', { to: peer, signal: offer }), { ok: true });
  await until('the new socket has the signal', () => again.signals.length === 1);
  assert.equal(signaling.peers, 2);
  const third = await joinSwarms(await connect(t, url), ['given up']);
  assert.equal(third.swarms[0]?.size, 1);
});

test('a tab that leads no more does not get its peer back from the one that leads', async (t) => {
  const { url, signaling } = await start(t);
  const join = (client: Client, epoch: number, resume?: string) =>
    client.ask('join', { version: 1, swarms: ['x'], epoch, ...(resume === undefined ? {} : { resume }) });
  const older = await connect(t, url);
  const { peer, resume } = (await join(older, 5)) as JoinReply;
  const newer = await connect(t, url);
  const left = gone(older);
  assert.equal(((await join(newer, 6, resume)) as JoinReply).peer, peer);
  await left;
  const thawed = await connect(t, url);
  for (let i = 0; i < 2 * MAX_BAD_MESSAGES; i++)
    assert.equal(((await join(thawed, 5, resume)) as Refusal).code, 'superseded');
  assert.deepEqual([newer.socket.connected, thawed.socket.connected, signaling.peers], [true, true, 1]);
  const next = await connect(t, url);
  assert.equal(((await join(next, 7, resume)) as JoinReply).peer, peer);
});

test('many sockets with one secret at once end as one peer', async (t) => {
  const { url, signaling } = await start(t);
  const resume = 'ab'.repeat(16);
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(t, url)));
  await Promise.allSettled(clients.map((client) => joinSwarms(client, ['x'], resume)));
  await until('one is left', () => clients.filter(({ socket }) => socket.connected).length === 1);
  assert.equal(signaling.peers, 1);
  assert.equal((await joinSwarms(await connect(t, url), ['x'])).swarms[0]?.size, 2);
});

test('a socket cannot become another peer', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  await joinSwarms(client, ['x']);
  assert.equal((await client.ask('join', { version: 1, swarms: ['x'], resume: 'ab'.repeat(16) })).code, 'bad-message');
});

const digest = '0f'.repeat(32);

test('the first of a site that claims an asset crosses it; another site has its own crosser', async (t) => {
  const { url } = await start(t);
  const [a, b, c] = [await connect(t, url, RED), await connect(t, url, RED), await connect(t, url, BLUE)];
  const [alice, bob, carol] = [await joinSwarms(a, ['x']), await joinSwarms(b, ['x']), await joinSwarms(c, ['x'])];
  const claim = { swarm: 'x', digest };
  const crossers = [];
  for (const client of [b, a, c]) crossers.push((await claimed(client, claim)).crosser);
  assert.deepEqual(crossers, [bob.peer, bob.peer, carol.peer]);
  assert.equal((await claimed(a, { ...claim, instead: bob.peer })).crosser, alice.peer);
  assert.equal((await claimed(b, { ...claim, instead: bob.peer })).crosser, alice.peer);
  a.socket.disconnect();
  await until('alice is gone', async () => (await claimed(b, claim)).crosser === bob.peer);
});

test('a claim by who is in no swarm, or not in this one, is refused', async (t) => {
  const { url, signaling } = await start(t);
  const client = await connect(t, url);
  assert.equal((await client.ask('claim', { swarm: 'x', digest })).code, 'not-joined');
  await joinSwarms(client, ['y']);
  assert.equal((await client.ask('claim', { swarm: 'x', digest })).code, 'not-joined');
  assert.equal((await client.ask('claim', { swarm: 'y', digest: 'x' })).code, 'bad-message');
  assert.equal(signaling.counters.badMessages, 3);
});

test('a claim behind a join on the same socket counts for the swarm joined', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  const joining = joinSwarms(client, ['x']);
  const { crosser } = await claimed(client, { swarm: 'x', digest });
  assert.equal(crosser, (await joining).peer);
});

async function claimed(client: Client, request: object): Promise<ClaimReply> {
  const reply = (await client.ask('claim', request)) as unknown as ClaimReply | Refusal;
  if (!reply.ok) assert.fail(reply.message);
  return reply;
}

test('the number of swarms is limited over all joins', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  await joinSwarms(
    client,
    Array.from({ length: MAX_SWARMS }, (_, index) => `s${index}`),
  );
  assert.equal((await client.ask('join', { version: 1, swarms: ['one more'] })).code, 'too-many-swarms');
  assert.equal((await joinSwarms(client, ['s0'])).swarms.length, 1);
  await client.ask('leave', { swarms: ['s0'] });
  assert.equal((await joinSwarms(client, ['one more'])).swarms.length, 1);
});

test('bad messages are answered in words and counted; who does not stop is cut off', async (t) => {
  const { url, signaling } = await start(t);
  const client = await connect(t, url);
  const events: [string, unknown][] = [
    ['join', null],
    ['join', { version: 1, swarms: 7 }],
    ['signal', 'x'],
    ['leave', []],
    ['claim', 'x'],
    ['shutdown', {}],
  ];
  for (const [event, message] of events) {
    const { ok, code, message: words } = await client.ask(event, message);
    assert.deepEqual([ok, code], [false, 'bad-message']);
    assert.match(words ?? '', /^Expected/);
    assert.ok(!/\bat .*:\d+/.test(words ?? ''), 'no stack');
  }
  assert.equal(signaling.counters.badMessages, events.length);
  const cut = gone(client);
  for (let i = events.length; i <= MAX_BAD_MESSAGES; i++) client.socket.emit('join', 'nonsense');
  assert.equal(await cut, 'io server disconnect');
  assert.equal(signaling.counters.cutOff, 1);
});

test('messages without a payload or a callback are harmless', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  client.socket.emit('join');
  client.socket.emit('signal', 'x', 'y', 'z');
  client.socket.emit('leave', { swarms: 7 });
  client.socket.emit('join', { version: 1, swarms: ['x'] });
  await until('the join without callback counts', async () => (await client.ask('leave', { swarms: [] })).ok);
  assert.equal((await joinSwarms(await connect(t, url), ['x'])).swarms[0]?.size, 2);
});

test('a message that is too large ends the connection, and the server goes on', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url);
  const left = gone(client);
  client.socket.emit('join', { version: 1, swarms: ['x'.repeat(200_000)] });
  await left;
  await joinSwarms(await connect(t, url), ['x']);
});

/** A directory of which one method waits until it is let go. */
function held(method: 'join' | 'leave' | 'claim') {
  const directory: Directory = new MemoryDirectory();
  let release: () => void = () => undefined;
  let calls = 0;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const { join, leave, claim } = directory;
  if (method === 'join') directory.join = async (...args) => (calls++, gate.then(() => join.apply(directory, args)));
  else if (method === 'claim')
    directory.claim = async (...args) => (calls++, gate.then(() => claim.apply(directory, args)));
  else directory.leave = async (...args) => (calls++, gate.then(() => leave.apply(directory, args)));
  return { directory, release: () => release(), calls: () => calls };
}

test('all that a page claims at once is answered, however slow the directory; more is too fast, and no fault', async (t) => {
  const { directory, release, calls } = held('claim');
  const { url, signaling } = await start(t, { directory, admission: { limits: { claims: 1e6 } } });
  const client = await connect(t, url);
  await joinSwarms(client, ['x', 'y']);
  const claim = (swarm: string, number: number) =>
    client.ask('claim', { swarm, digest: number.toString(16).padStart(64, '0') });
  const claims = ['x', 'y'].flatMap((swarm) => Array.from({ length: MAX_CLAIMS }, (_, number) => claim(swarm, number)));
  await until('the directory is asked', () => calls() === 1);
  const more = Array.from({ length: MAX_PENDING_REQUESTS }, (_, number) => claim('x', number));
  const refused = await more.at(-1);
  assert.deepEqual([refused?.code, refused?.retryAfter], ['too-fast', 1]);
  assert.match(refused?.message ?? '', /under way/);
  assert.ok(signaling.counters.refusals.pending > 0);
  release();
  for (const { ok } of await Promise.all(claims)) assert.equal(ok, true);
  assert.equal(signaling.counters.badMessages, 0);
  assert.equal(client.socket.connected, true);
});

test('what a peer had claimed and was not asked yet when it went is not asked any more', async (t) => {
  const { directory, release, calls } = held('claim');
  const { url, signaling } = await start(t, { directory });
  const client = await connect(t, url);
  await joinSwarms(client, ['x']);
  for (let number = 0; number < 10; number++)
    client.ask('claim', { swarm: 'x', digest: '0f'.repeat(32) }).catch(() => undefined);
  await until('the directory is asked', () => calls() === 1);
  client.socket.disconnect();
  const other = await connect(t, url); // by now the server has seen the disconnect, too
  await until('the server has seen that', async () => !(await other.ask('leave', { swarms: [] })).ok);
  release();
  await until('it has left', () => signaling.peers === 0);
  assert.equal(calls(), 1);
  assert.equal(signaling.counters.badMessages, 1, 'that of the other');
});

test('a peer that disconnects while it is being entered leaves no trace', async (t) => {
  const { directory, release, calls } = held('join');
  const { url, signaling } = await start(t, { directory });
  const client = await connect(t, url);
  client.socket.emit('join', { version: 1, swarms: ['x'] });
  await until('the directory is asked', () => calls() === 1);
  client.socket.disconnect();
  const other = await connect(t, url); // by now the server has seen the disconnect, too
  await until('the server has seen that', async () => !(await other.ask('leave', { swarms: [] })).ok);
  release();
  assert.equal((await joinSwarms(other, ['x'])).swarms[0]?.size, 1);
  assert.equal(signaling.peers, 1);
});

test('a peer whose old socket ends in the middle of its return keeps its place, and loses what it did not ask for', async (t) => {
  const { directory, release, calls } = held('leave');
  const { url } = await start(t, { directory });
  const old = await connect(t, url);
  const { peer, resume } = await joinSwarms(old, ['x', 'given up', 'slow']);
  const friend = await connect(t, url);
  await joinSwarms(friend, ['x']);
  old.socket.emit('leave', { swarms: ['slow'] });
  await until('the leave is under way', () => calls() === 1);
  old.socket.disconnect(); // the server hears of it now, but deals with it after the leave
  const again = await connect(t, url);
  const joining = joinSwarms(again, ['x'], resume);
  await until(
    'signals go to the new socket',
    async () => (await friend.ask('signal', { to: peer, signal: offer })).ok && again.signals.length > 0,
  );
  release();
  const reply = await joining;
  assert.deepEqual([reply.swarms[0]?.keeper, reply.swarms[0]?.size], [peer, 2]);
  assert.equal((await joinSwarms(friend, ['given up'])).swarms[0]?.size, 1);
});

test('two sockets that take the same peer from each other, with all that a client can send at once, come to an end', async (t) => {
  const { directory, release, calls } = held('join');
  const { url, signaling, stop } = await start(t, { directory, off: ({ lot }) => (lot === 0 ? 'holdout' : undefined) });
  const first = await connect(t, url);
  const join = (resume: string, lot: number) => ({ version: 1, swarms: ['x'], resume, lot });
  const resume = '5'.repeat(32);
  first.socket.emit('join', join(resume, 1));
  await until('its join waits', () => calls() === 1);
  first.socket.emit('join', join(resume, 0));
  first.socket.emit('join', join(resume, 1));
  const second = await connect(t, url);
  const taken = second.ask('join', join(resume, 1));
  await until('the server has seen it', async () => (await second.ask('beacon', {})).code === 'bad-message');
  release();
  assert.ok((await taken).ok);
  second.socket.disconnect();
  await until('nobody is there', () => signaling.peers === 0);
  await stop();
});

test('a flood of joins is refused past a limit, not queued without end', async (t) => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const directory: Directory = new MemoryDirectory();
  const join = directory.join.bind(directory);
  directory.join = async (...args) => gate.then(() => join(...args));
  const { url } = await start(t, { directory });
  const client = await connect(t, url);
  const replies = Array.from({ length: 300 }, () => client.ask('join', { version: 1, swarms: ['x'] }));
  const early = await Promise.race(replies.slice(200));
  assert.equal(early.code, 'too-fast');
  release();
  const { length } = (await Promise.all(replies)).filter(({ ok }) => ok);
  assert.ok(length >= JOIN_BURST && length < 200, `${length}`);
});

test('a directory that fails is told as "try again", not as a stack, and is not the client\'s fault', async (t) => {
  const directory: Directory = new MemoryDirectory();
  directory.join = () => Promise.reject(new Error('secret reason'));
  const { url, signaling } = await start(t, { directory });
  const reply = await (await connect(t, url)).ask('join', { version: 1, swarms: ['x'] });
  assert.deepEqual([reply.ok, reply.code, reply.retryAfter], [false, 'shutting-down', 1]);
  assert.ok(!JSON.stringify(reply).includes('secret'));
  assert.equal(signaling.counters.badMessages, 0);
});

test('peers can join by HTTP polling, too', async (t) => {
  const { url } = await start(t);
  const client = await connect(t, url, RED, { transports: ['polling'] });
  assert.equal((await joinSwarms(client, ['x'])).swarms[0]?.size, 1);
});

test('the app whose server it is attached to keeps its own paths, also after signaling is closed', async (t) => {
  const { url, signaling } = await start(t);
  assert.equal((await ask(url, '/anything')).text, 'the app');
  await signaling.close();
  assert.equal((await ask(url, '/anything')).text, 'the app');
  await assert.rejects(connect(t, url));
});

test('closing disconnects in a way that clients come back from, and the same port serves them again', async (t) => {
  const first = await start(t);
  const client = await connect(t, first.url, RED, {
    reconnection: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 50,
  });
  const { peer, resume } = await joinSwarms(client, ['x']);
  const left = gone(client);
  await first.stop();
  assert.notEqual(await left, 'io server disconnect');
  await start(t, {}, first.port);
  await until('the client is back', () => client.socket.connected);
  assert.equal((await joinSwarms(client, ['x'], resume)).peer, peer);
});

test('a class of thirty that joins at once ends with one keeper and the right sizes', async (t) => {
  const { url } = await start(t);
  const clients = await Promise.all(Array.from({ length: 30 }, () => connect(t, url, RED)));
  const replies = await Promise.all(clients.map((client) => joinSwarms(client, ['lesson'])));
  assert.equal(new Set(replies.map(({ peer }) => peer)).size, 30);
  assert.equal(new Set(replies.map(({ swarms }) => swarms[0]?.keeper)).size, 1);
  assert.ok(replies.every(({ swarms }) => (swarms[0]?.members.length ?? 99) <= 12));
  await until('all know that they are thirty', () => clients.every(({ states }) => states.at(-1)?.size === 30));
  assert.ok(
    clients.every(({ states }) => states.length <= 4),
    'coalesced',
  );
});

for (const [how, fail] of [
  ['throws', (): never => assert.fail('no disk')],
  ['rejects', (): Promise<never> => Promise.reject(new Error('no disk'))],
] as const)
  test(`a directory that ${how} when a peer leaves is in the log, and nothing else comes of it`, async (t) => {
    const lines: string[] = [];
    const directory: Directory = Object.assign(new MemoryDirectory(), { leaveAll: fail });
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const { url, signaling, stop } = await start(t, { directory, log });
    const leaves = await connect(t, url);
    await joinSwarms(leaves, ['x']);
    leaves.socket.disconnect();
    await until('the log has it', () => lines.some((line) => /could not leave/.test(line)));
    await joinSwarms(await connect(t, url), ['x']);
    assert.equal(signaling.peers, 1);
    await stop();
  });
