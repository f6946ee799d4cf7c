import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { NODE_DEAD_MS, REDIS_ANSWER_MS } from '../../../server/limits.ts';
import { KEY_PREFIX } from '../../../server/redis/keys.ts';
import { RedisLink } from '../../../server/redis/redis-link.ts';
import { BEAT, ENTER, JOIN } from '../../../server/redis/scripts.ts';
import { peerIdOf } from '../../../server/signaling/identity.ts';
import { noRedis, startRedis, type TestRedis } from '../../harness/redis.ts';
import { ask, connect, joinSwarms, run, testAddress, until, type Client, type Running } from '../support.ts';

const offer = { kind: 'offer', connection: 1, sdp: 'v=0' };
const [RED, BLUE] = ['203.0.113.1', '203.0.113.2'];

/** Two servers of one Redis, both ready. */
async function pair(t: TestContext): Promise<{ redis: TestRedis; left: Running; right: Running }> {
  const redis = await startRedis(t);
  const start = (): Promise<Running> =>
    run(t, { redis: redis.url, addressOf: testAddress, admission: { limits: { joins: 1000 } } });
  const [left, right] = [await start(), await start()];
  await Promise.all([left, right].map(ready));
  return { redis, left, right };
}

const ready = ({ url }: Running): Promise<unknown> =>
  until('the server is ready', async () => (await ask(url, '/readyz')).status === 200);

/** A connection of the test's own, once it is answered. */
async function linkTo(t: TestContext, { url }: TestRedis): Promise<RedisLink> {
  const link = new RedisLink(url);
  t.after(() => link.close());
  await until('Redis answers', () =>
    link.publish('x', '').then(
      () => true,
      () => false,
    ),
  );
  return link;
}

/** What the last news of the server said of the swarm, else its answer to a new join. */
const sizeOf = async (client: Client): Promise<number | undefined> => (await joinSwarms(client, ['x'])).swarms[0]?.size;

interface Way {
  readonly url: string;
  /** Connections that it broke. */
  readonly broken: () => number;
  /** Breaks all that are there. */
  readonly breakAll: () => void;
}

/** A way to Redis, on which a connection breaks before Redis hears what it breaks at. */
async function wayTo(t: TestContext, port: number, breaksAt: (text: string, broken: number) => boolean): Promise<Way> {
  const clients = new Set<Socket>();
  let broken = 0;
  const server = createServer((client) => {
    const redis = createConnection(port, '127.0.0.1');
    clients.add(client);
    client.on('data', (bytes) => {
      if (!breaksAt(bytes.toString(), broken)) redis.write(bytes);
      else {
        broken++;
        client.destroy();
      }
    });
    redis.pipe(client);
    for (const [end, other] of [[client, redis] as const, [redis, client] as const])
      end.on('error', () => undefined).on('close', () => other.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken: () => broken,
    breakAll: () => {
      for (const client of clients) client.destroy();
    },
  };
}

describe('several servers', { skip: noRedis ?? false }, () => {
  test('peers of two servers are introduced to each other, and signals go both ways', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    const first = await joinSwarms(a, ['x']);
    const second = await joinSwarms(b, ['x']);
    const [view] = second.swarms;
    assert.deepEqual([view?.members, view?.size, view?.keeper], [[first.peer], 2, first.peer]);
    assert.deepEqual(await b.ask('signal', { to: first.peer, signal: offer }), { ok: true });
    await until('the offer is there', () => a.signals.length === 1);
    assert.deepEqual(a.signals, [{ from: second.peer, sameSite: true, signal: offer }]);
    const answer = { ...offer, kind: 'answer' };
    assert.deepEqual(await a.ask('signal', { to: second.peer, signal: answer }), { ok: true });
    await until('the answer is there', () => b.signals.length === 1);
    assert.deepEqual(b.signals[0]?.signal, answer);
  });

  test('a peer of another site is told as such, and of another server no less', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, BLUE)];
    const { peer } = await joinSwarms(a, ['x']);
    assert.deepEqual((await joinSwarms(b, ['x'])).swarms[0]?.others, [peer]);
    await b.ask('signal', { to: peer, signal: offer });
    await until('the offer is there', () => a.signals.length === 1);
    assert.equal(a.signals[0]?.sameSite, false);
  });

  test('news of a swarm come from the other server, too: who joins, and who is keeper after the keeper left', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    await joinSwarms(a, ['x']);
    const { peer } = await joinSwarms(b, ['x']);
    await until('the first hears of the second', () => a.states.at(-1)?.size === 2);
    a.socket.disconnect();
    await until(
      'the second hears that it is keeper',
      () => b.states.at(-1)?.keeper === peer && b.states.at(-1)?.size === 1,
    );
  });

  test('who leaves a swarm and joins it again at once hears its news as before', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    await joinSwarms(a, ['x']);
    for (let i = 0; i < 5; i++) {
      a.socket.emit('leave', { swarms: ['x'] });
      await joinSwarms(a, ['x']);
    }
    await joinSwarms(b, ['x']);
    await until('the first hears of the second', () => a.states.at(-1)?.size === 2);
    b.socket.disconnect();
    await until('and that it has gone', () => a.states.at(-1)?.size === 1);
  });

  test('a claim at one server is known at the other', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    const { peer } = await joinSwarms(a, ['x']);
    await joinSwarms(b, ['x']);
    const claim = { swarm: 'x', digest: 'ab'.repeat(32) };
    await a.ask('claim', claim);
    const reply = (await b.ask('claim', claim)) as unknown as { crosser: string };
    assert.equal(reply.crosser, peer);
  });

  test('a peer that comes back at the other server keeps its id and its place, its old socket ends, and signals find it', async (t) => {
    const { left, right } = await pair(t);
    const [old, friend] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    const { peer, resume } = await joinSwarms(old, ['x', 'given up']);
    const { peer: friendly } = await joinSwarms(friend, ['x']);
    await friend.ask('signal', { to: peer, signal: offer }); // now its server knows where the peer was
    const again = await connect(t, right.url, RED);
    const reply = await joinSwarms(again, ['x'], resume);
    assert.deepEqual([reply.peer, reply.swarms[0]?.keeper, reply.swarms[0]?.size], [peer, peer, 2]);
    await until('the old socket has ended', () => old.socket.disconnected);
    assert.equal((await joinSwarms(friend, ['given up'])).swarms[0]?.size, 1);
    assert.deepEqual(await friend.ask('signal', { to: peer, signal: offer }), { ok: true });
    await until('the offer is there', () => again.signals.length === 1);
    const third = await connect(t, left.url, RED);
    const { swarms } = await joinSwarms(third, ['x']);
    assert.deepEqual([...(swarms[0]?.members ?? [])].sort(), [peer, friendly].sort());
    await third.ask('signal', { to: peer, signal: offer });
    await until('that of the other server is there, too', () => again.signals.length === 2);
  });

  test('a signal that comes where the peer was a moment ago is handed on', async (t) => {
    const { left, right, redis } = await pair(t);
    const third = await run(t, { redis: redis.url, addressOf: testAddress, admission: { limits: { joins: 1000 } } });
    await ready(third);
    const [old, friend] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    const { peer, resume } = await joinSwarms(old, ['x']);
    await joinSwarms(friend, ['x']); // its server learns that the peer is at the first
    const again = await connect(t, third.url, RED);
    await joinSwarms(again, ['x'], resume);
    assert.deepEqual(await friend.ask('signal', { to: peer, signal: offer }), { ok: true });
    await until('the offer is there', () => again.signals.length === 1);
  });

  test('a tab with a lower epoch is refused at any server, and the one that leads stays', async (t) => {
    const { left, right } = await pair(t);
    const leader = await connect(t, left.url, RED);
    const join = { version: 1, swarms: ['x'] };
    const { resume, peer } = (await leader.ask('join', { ...join, epoch: 7 })) as { resume: string; peer: string };
    const late = await connect(t, right.url, RED);
    assert.equal((await late.ask('join', { ...join, resume, epoch: 6 })).code, 'superseded');
    assert.equal((await joinSwarms(leader, ['x'])).peer, peer);
    assert.equal((await (await connect(t, right.url, RED)).ask('join', { ...join, resume, epoch: 8 })).ok, true);
    await until('the earlier leader is sent away', () => leader.socket.disconnected);
  });

  test('a tab of whose successor its server did not hear is sent away when that finds Redis again', async (t) => {
    const redis = await startRedis(t);
    let isCut = false;
    const way = await wayTo(t, redis.port, () => isCut);
    const options = { addressOf: testAddress, admission: { limits: { joins: 1000 } } };
    const [left, right] = [
      await run(t, { ...options, redis: way.url }),
      await run(t, { ...options, redis: redis.url }),
    ];
    await Promise.all([left, right].map(ready));
    const old = await connect(t, left.url, RED);
    const join = { version: 1, swarms: ['x'] };
    const { resume } = await old.ask('join', { ...join, epoch: 1 });
    isCut = true;
    way.breakAll();
    await until('the server says so', async () => (await ask(left.url, '/readyz')).status === 503);
    const tab = await connect(t, right.url, RED);
    assert.equal((await tab.ask('join', { ...join, resume, epoch: 2 })).ok, true);
    assert.equal(old.socket.connected, true);
    isCut = false;
    await ready(left);
    await until('the earlier tab is sent away', () => old.socket.disconnected);
    assert.equal(left.server.signaling.peers, 0);
    assert.equal(await sizeOf(tab), 1, 'the other keeps its place');
  });

  test('who is nowhere is an unknown peer', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    const { peer } = await joinSwarms(a, ['x']);
    await joinSwarms(b, ['x']);
    a.socket.disconnect();
    await until('it has left', async () => (await sizeOf(b)) === 1);
    const signal = { to: peer, signal: offer };
    await until('the server says so', async () => (await b.ask('signal', signal)).code === 'unknown-peer');
  });

  test('a server that closes takes its peers along', async (t) => {
    const { left, right } = await pair(t);
    const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
    await joinSwarms(a, ['x']);
    await joinSwarms(b, ['x']);
    await left.server.close();
    assert.equal(await sizeOf(b), 1);
  });

  test("a dead server's peers leave the directory, but not those that came to another", async (t) => {
    const { redis, right } = await pair(t);
    const link = await linkTo(t, redis);
    // a server that was killed: it had two peers, and says nothing more
    const dead = (script: string, ...args: string[]): Promise<unknown> =>
      link.run(script, [KEY_PREFIX, 'dead', '', ...args]);
    const resume = 'c'.repeat(32);
    await dead(BEAT);
    for (const peer of ['a'.repeat(32), peerIdOf(resume)]) {
      await dead(ENTER, peer, '0');
      await dead(JOIN, 'x', peer, RED, '');
    }
    const client = await connect(t, right.url, RED);
    const { swarms } = await joinSwarms(client, ['x'], resume);
    assert.deepEqual([swarms[0]?.size, swarms[0]?.members], [2, ['a'.repeat(32)]]);
    await until('the other one is out', async () => (await sizeOf(client)) === 1, 2 * NODE_DEAD_MS);
    await until('and the news say so', () => client.states.at(-1)?.size === 1);
    assert.equal((await joinSwarms(client, ['x'])).peer, peerIdOf(resume));
  });

  test('while Redis is away joins are answered from what the server knows, /readyz says so, and all is right again when it is back', async (t) => {
    const { redis, left, right } = await pair(t);
    const [a, b, c] = [
      await connect(t, left.url, RED),
      await connect(t, right.url, RED),
      await connect(t, left.url, RED),
    ];
    const first = await joinSwarms(a, ['x']);
    await joinSwarms(b, ['x']);
    await redis.stop();
    await until('the server says so', async () => (await ask(left.url, '/readyz')).status === 503);
    assert.deepEqual(JSON.parse((await ask(left.url, '/readyz')).text), { ready: false, redis: 'away' });
    const alone = await joinSwarms(c, ['x']);
    assert.deepEqual([alone.swarms[0]?.members, alone.swarms[0]?.size], [[first.peer], 2]);
    assert.deepEqual(await c.ask('signal', { to: first.peer, signal: offer }), { ok: true });
    await redis.start(); // with nothing in it
    await Promise.all([left, right].map(ready));
    await until('all three are counted', async () => (await sizeOf(b)) === 3);
    assert.deepEqual((await joinSwarms(b, ['x'])).swarms[0]?.keeper, first.peer, 'the line is as it was');
    await until('those who were there hear of it', () => a.states.at(-1)?.size === 3);
    a.socket.disconnect();
    await until('and who leaves is out', async () => (await sizeOf(b)) === 2);
  });

  for (const [what, channel] of [
    ['what others say to the server', 'inbox'],
    ['the changes of a swarm', 'news'],
  ] as const)
    test(`a subscription that was lost before Redis confirmed it is asked for again: ${what}`, async (t) => {
      const redis = await startRedis(t);
      const asks = new RegExp(`subscribe[^]*${KEY_PREFIX}${channel}:`, 'i');
      const way = await wayTo(t, redis.port, (text, broken) => broken === 0 && asks.test(text));
      const at = (url: string): Promise<Running> =>
        run(t, { redis: url, addressOf: testAddress, admission: { limits: { joins: 1000 } } });
      const [left, right] = [await at(redis.url), await at(way.url)];
      await Promise.all([left, right].map(ready));
      const [a, b] = [await connect(t, left.url, RED), await connect(t, right.url, RED)];
      const { peer } = await joinSwarms(b, ['x']);
      await until('the connection was cut', () => way.broken() > 0);
      await ready(right);
      await joinSwarms(a, ['x']);
      await until('it hears of who joined', () => b.states.at(-1)?.size === 2);
      await joinSwarms(await connect(t, left.url, RED), ['x']);
      await until('and of who joined when all was told anew', () => b.states.at(-1)?.size === 3);
      assert.deepEqual(await a.ask('signal', { to: peer, signal: offer }), { ok: true });
      await until('the offer is there', () => b.signals.length === 1);
      assert.equal(way.broken(), 1);
    });

  test('a server that stands still itself does not take Redis for away', async (t) => {
    const redis = await startRedis(t);
    const link = await linkTo(t, redis);
    const standStill = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * REDIS_ANSWER_MS);
    const asked = (): Promise<number> => link.publish('x', 'y');
    const unsent = asked();
    standStill();
    assert.equal(await unsent, 0);
    const sent = asked();
    await new Promise((resolve) => setImmediate(resolve));
    standStill();
    assert.equal(await sent, 0);
  });

  test('a Redis that stands still delays a join by half a second, once', async (t) => {
    const { redis, left } = await pair(t);
    t.after(() => redis.thaw());
    redis.freeze();
    const client = await connect(t, left.url, RED);
    const startedAt = performance.now();
    assert.equal((await joinSwarms(client, ['x'])).swarms[0]?.size, 1);
    for (let i = 0; i < 20; i++) await joinSwarms(client, ['x']);
    assert.ok(performance.now() - startedAt < 2000);
    redis.thaw();
    await ready(left);
  });
});
