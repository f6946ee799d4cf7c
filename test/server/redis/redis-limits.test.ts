/** What several servers count together. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SignJWT } from 'jose';
import type { PeerId } from '../../../protocol/ids.ts';
import { HEAL_BATCH } from '../../../server/limits.ts';
import { KEY_PREFIX } from '../../../server/redis/keys.ts';
import { RedisLink } from '../../../server/redis/redis-link.ts';
import { RedisSubjects } from '../../../server/redis/redis-subjects.ts';
import { TAKE_PLACE } from '../../../server/redis/scripts.ts';
import { noRedis, startRedis, type TestRedis } from '../../harness/redis.ts';
import { ask, connect, run, testAddress, until, type Client, type Reply, type Running } from '../support.ts';

const SECRET = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const [RED, BLUE] = ['203.0.113.1', '203.0.113.2'];
/** New connections of one address in ten seconds. */
const CONNECTS = 10;

/** Two servers of one Redis, both ready. */
async function pair(t: TestContext): Promise<{ redis: TestRedis; left: Running; right: Running }> {
  const redis = await startRedis(t);
  const start = (): Promise<Running> =>
    run(t, {
      redis: redis.url,
      addressOf: testAddress,
      admission: { tokens: { secret: SECRET }, limits: { connectsPerAddress: CONNECTS / 10 } },
    });
  const [left, right] = [await start(), await start()];
  await Promise.all([left, right].map((server) => readiness(server, 200)));
  return { redis, left, right };
}

const readiness = ({ url }: Running, status: number): Promise<unknown> =>
  until(`/readyz says ${status}`, async () => (await ask(url, '/readyz')).status === status);

const tokenOf = (subject: string, peers: number): Promise<string> =>
  new SignJWT({ swarms: ['*'], peers })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setExpirationTime('1h')
    .sign(SECRET);

const join = (client: Client, token: string, resume?: string): Promise<Reply> =>
  client.ask('join', { version: 1, swarms: ['x'], token, ...(resume !== undefined && { resume }) });

/** How many of so many polling clients of an address are let in. */
async function letIn({ url }: Running, address: string, clients: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: clients }, () =>
      ask(url, '/p2p/signal/?EIO=4&transport=polling', { 'x-test-address': address }),
    ),
  );
  return answers.filter(({ status }) => status === 200).length;
}

test('places are told to a Redis that is back many at a time, but for those that became free meanwhile', async () => {
  const free = '0'.repeat(32) as PeerId;
  const taken: string[] = [];
  let [underWay, most, isThere] = [0, 0, false];
  const subjects = new RedisSubjects({
    run: async (script, _subject, peer = '') => {
      most = Math.max(most, ++underWay);
      if (script === TAKE_PLACE) taken.push(peer);
      await setImmediate();
      underWay--;
      return 1;
    },
    lost: (error) => assert.fail(String(error)),
    isThere: () => isThere,
  });
  const peers = Array.from(
    { length: 2 * HEAL_BATCH },
    (_, index) => (index + 1).toString(16).padStart(32, '0') as PeerId,
  );
  for (const peer of [...peers, free]) assert.ok(await subjects.take('anna', peer, Infinity));
  isThere = true;
  const healing = subjects.heal();
  while (taken.length === 0) await Promise.resolve();
  assert.ok(subjects.release('anna', free), 'while the first are told');
  await healing;
  assert.deepEqual(taken, peers);
  assert.equal(most, HEAL_BATCH + 1, 'and the one that was given back');
});

describe('several servers', { skip: noRedis ?? false }, () => {
  test("a subject's peers are counted at all of them, and a peer takes its place along to another", async (t) => {
    const { left, right } = await pair(t);
    const token = await tokenOf('anna', 2);
    const first = await connect(t, left.url, RED);
    const { ok, resume = '' } = await join(first, token);
    assert.ok(ok);
    assert.ok((await join(await connect(t, right.url, BLUE), token)).ok);
    const third = await connect(t, right.url, RED);
    assert.equal((await join(third, token)).code, 'full');
    assert.ok((await join(await connect(t, right.url, BLUE), await tokenOf('ben', 2))).ok, 'of another subject');
    assert.ok((await join(await connect(t, right.url, RED), token, resume)).ok, 'the first, at another server');
    assert.equal((await join(third, token)).code, 'full', 'it has one place, not two, and not none');
  });

  test('a place is free when its peer has gone, or its server has died', async (t) => {
    const { redis, left, right } = await pair(t);
    const token = await tokenOf('anna', 1);
    const link = new RedisLink(redis.url);
    t.after(() => link.close());
    const other = 'f'.repeat(32) as PeerId;
    const isTaken = async (): Promise<boolean> =>
      (await link.run(TAKE_PLACE, [KEY_PREFIX, 'a dead server', '', 'anna', other, '1']).catch(() => 0)) === 1;
    await until('a server that is not heard of has it', isTaken);
    const first = await connect(t, left.url, RED);
    assert.ok((await join(first, token)).ok, 'of a dead server');
    const second = await connect(t, right.url, BLUE);
    assert.equal((await join(second, token)).code, 'full');
    first.socket.disconnect();
    await until('the place is free', async () => (await join(second, token)).ok);
  });

  test('when Redis has lost all, the places that are taken count again', async (t) => {
    const { redis, left, right } = await pair(t);
    const token = await tokenOf('anna', 1);
    assert.ok((await join(await connect(t, left.url, RED), token)).ok);
    await redis.stop();
    await Promise.all([left, right].map((server) => readiness(server, 503)));
    await redis.start();
    await Promise.all([left, right].map((server) => readiness(server, 200)));
    assert.equal((await join(await connect(t, right.url, BLUE), token)).code, 'full');
  });

  test('a place that becomes free while Redis does not answer is free when it does', async (t) => {
    const { redis, left, right } = await pair(t);
    const token = await tokenOf('anna', 1);
    const first = await connect(t, left.url, RED);
    assert.ok((await join(first, token)).ok);
    redis.freeze();
    await connect(t, left.url, BLUE).then((client) => join(client, 'no token'));
    first.socket.disconnect();
    await Promise.all([left, right].map((server) => readiness(server, 503)));
    await until('it has left', () => left.server.signaling.connections === 1);
    redis.thaw();
    await Promise.all([left, right].map((server) => readiness(server, 200)));
    const second = await connect(t, right.url, BLUE);
    await until('the place is free', async () => (await join(second, token)).ok);
  });

  test('new connections of an address are counted at all of them; without Redis each counts its own', async (t) => {
    const { redis, left, right } = await pair(t);
    assert.equal((await letIn(left, RED, CONNECTS)) + (await letIn(right, RED, CONNECTS)), CONNECTS);
    assert.equal(await letIn(right, BLUE, 1), 1, 'another address');
    await redis.stop();
    await Promise.all([left, right].map((server) => readiness(server, 503)));
    assert.equal(await letIn(left, RED, CONNECTS + 5), CONNECTS);
    assert.equal(await letIn(right, RED, CONNECTS + 5), CONNECTS);
  });
});
