import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import type { JoinReply } from '../../../protocol/signaling.ts';
import type { TokenKeys } from '../../../server/index.ts';
import { connect, until, type Client, type Reply } from '../support.ts';
import { healthyPeers, target } from './attacks/healthy.ts';

const SECRET = new TextEncoder().encode('0123456789abcdef0123456789abcdef');

const HEALTHY = { subject: 'healthy', swarms: ['healthy'], peers: 100 };

interface Claims {
  readonly subject?: string;
  readonly swarms?: unknown;
  readonly peers?: unknown;
  /** Seconds from now. */
  readonly expires?: number;
  readonly secret?: Uint8Array;
}

const sign = ({ subject = 'anna', swarms = ['lesson*'], peers, expires = 3600, secret = SECRET }: Claims = {}) =>
  new SignJWT({ swarms, ...(peers === undefined ? {} : { peers }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setExpirationTime(Math.floor(Date.now() / 1000) + expires)
    .sign(secret);

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const join = (client: Client, token: string | undefined, swarms = ['lesson 1'], resume?: string): Promise<Reply> =>
  client.ask('join', {
    version: 1,
    swarms,
    ...(token !== undefined && { token }),
    ...(resume !== undefined && { resume }),
  });

/** A server that asks for tokens. */
async function serve(t: TestContext, tokens: TokenKeys) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { createSignaling } = await import('../../../server/index.ts');
  const signaling = createSignaling({ server, admission: { tokens } });
  t.after(async () => {
    await signaling.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, signaling, refusals: signaling.counters.refusals, peer: () => connect(t, url) };
}

/**
 * Such a server with healthy peers.
 * @param token theirs: opens the swarm `healthy` for many peers
 */
async function start(t: TestContext, tokens: TokenKeys = { secret: SECRET }, token = sign(HEALTHY)) {
  const server = await serve(t, tokens);
  const healthy = await healthyPeers(server.peer, async (client) => {
    const reply = await join(client, await token, ['healthy']);
    assert.ok(reply.ok, reply.message);
    return reply as JoinReply;
  });
  return { ...server, ...healthy };
}

test('who shows a right token joins the swarms that it opens', async (t) => {
  const { peer } = await start(t);
  const reply = await join(await peer(), await sign(), ['lesson 1', 'lesson 2', 'staff room']);
  assert.ok(reply.ok, reply.message);
  assert.deepEqual(
    reply.swarms?.map(({ swarm }) => swarm),
    ['lesson 1', 'lesson 2'],
  );
});

test('no token, one of another key, one that has run out, one for other swarms, and one without a signature are refused alike, and told apart in the counters', async (t) => {
  const { peer, refusals, assertHealthy } = await start(t);
  const [header, payload, signature] = (await sign()).split('.');
  const forged = base64({ sub: 'anna', exp: Date.now(), swarms: ['*'] });
  const none = base64({ alg: 'none' });
  const cases: [string | undefined, keyof typeof refusals][] = [
    [undefined, 'no-token'],
    [await sign({ secret: new TextEncoder().encode('another secret of thirty-two byte') }), 'bad-token'],
    [await sign({ expires: -60 }), 'expired-token'],
    [await sign({ swarms: ['staff*'] }), 'token-for-other-swarms'],
    [`${none}.${payload}.`, 'bad-token'],
    [`${none}.${forged}.${signature}`, 'bad-token'],
    [`${header}.${forged}.${signature}`, 'bad-token'],
    [`${header}.${payload}`, 'bad-token'],
    ['', 'bad-token'],
    ['..', 'bad-token'],
    ['x'.repeat(4096), 'bad-token'],
  ];
  const messages = new Set<string | undefined>();
  for (const [token, reason] of cases) {
    const before = refusals[reason];
    const { ok, code, message, retryAfter } = await join(await peer(), token);
    assert.deepEqual([ok, code, retryAfter], [false, 'unauthorized', undefined], token);
    assert.equal(refusals[reason], before + 1, `${reason} of ${token}`);
    messages.add(message);
  }
  assert.equal(messages.size, 1, 'who guesses learns nothing');
  assert.equal((await join(await peer(), 'x'.repeat(4097))).code, 'bad-message');
  await assertHealthy();
});

test('a token whose claims are not ours to read is refused', async (t) => {
  const { peer, refusals, assertHealthy } = await start(t);
  const noTime = new SignJWT({ sub: 'anna', swarms: ['*'] }).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);
  const noSubject = new SignJWT({ swarms: ['*'], exp: 9e9 }).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);
  const tokens = [
    noTime,
    noSubject,
    sign({ swarms: 'x' }),
    sign({ swarms: [] }),
    sign({ swarms: [7] }),
    sign({ peers: 0 }),
    sign({ peers: 'many' }),
    sign({ swarms: ['*'.repeat(9)] }),
    sign({ swarms: Array.from({ length: 65 }, () => '*') }),
    sign({ subject: 'x'.repeat(257) }),
  ];
  for (const token of tokens) assert.equal((await join(await peer(), await token)).code, 'unauthorized');
  assert.equal(refusals['bad-token'], tokens.length);
  await assertHealthy();
});

test('another algorithm than the one that is pinned is refused, though the key would fit', async (t) => {
  const usual = await start(t);
  const long = new Uint8Array(64).fill(7);
  const token = await new SignJWT({ swarms: ['*'], sub: 'anna', exp: 9e9 })
    .setProtectedHeader({ alg: 'HS512' })
    .sign(long);
  const other = await start(t, { secret: long }, sign({ ...HEALTHY, secret: long }));
  for (const { peer } of [usual, other]) assert.equal((await join(await peer(), token)).code, 'unauthorized');
  for (const { assertHealthy } of [usual, other]) await assertHealthy();
});

test('a token is replayed by no more peers than it is for; a peer that comes back keeps its place, and one that leaves gives it free', async (t) => {
  const { peer, refusals, assertHealthy } = await start(t);
  const token = await sign({ peers: 2 });
  const [a, b, c] = [await peer(), await peer(), await peer()];
  const first = (await join(a, token)) as JoinReply;
  assert.ok((await join(a, token)).ok, 'of one peer, however often it joins');
  assert.ok((await join(b, token)).ok);
  const { code, retryAfter } = await join(c, token);
  assert.deepEqual([code, (retryAfter ?? 0) > 0], ['full', true]);
  assert.equal(refusals['peers-of-subject'], 1);
  assert.equal(
    (await join(c, await sign({ peers: 2, swarms: ['*'] }))).code,
    'full',
    'nor with a fresh token of the subject',
  );
  const again = await peer();
  assert.equal((await join(again, token, ['lesson 1'], first.resume)).peer, first.peer);
  await until('its old connection is ended', () => !a.socket.connected);
  assert.equal((await join(c, token)).code, 'full', 'that freed no place');
  b.socket.disconnect();
  await until('there is a place', async () => (await join(c, token)).ok);
  assert.ok((await join(await peer(), await sign({ subject: 'ben', peers: 1 }))).ok, 'others have places of their own');
  await assertHealthy();
});

test('a session whose token runs out is ended, and one that was renewed is not', async (t) => {
  const { peer, refusals, signaling, assertHealthy } = await start(t);
  const [stays, goes, lapsed] = [await peer(), await peer(), await peer()];
  assert.ok((await join(stays, await sign({ expires: 1 }))).ok);
  assert.ok((await join(goes, await sign({ subject: 'ben', expires: 1 }))).ok);
  assert.ok((await join(lapsed, await sign({ subject: 'carl', expires: 1 }))).ok);
  assert.ok((await join(stays, await sign({ expires: 600 }))).ok);
  await until('it has run out', () => !goes.socket.connected);
  await until('for both', () => !lapsed.socket.connected);
  assert.equal(refusals['expired-token'], 2);
  assert.equal(stays.socket.connected, true);
  assert.ok((await join(stays, undefined, ['lesson 2'])).ok, 'a later join needs to bring none');
  assert.equal(signaling.peers, 2, 'with the healthy one');
  assert.equal((await join(await peer(), await sign({ subject: 'ben', expires: -10 }))).code, 'unauthorized');
  await assertHealthy();
});

test('who is in stays with the token that let it in, whatever becomes of the secret; a newcomer needs one of today', async (t) => {
  let secrets = [SECRET];
  const { peer } = await start(t, { secret: () => secrets });
  const [a, b] = [await peer(), await peer()];
  const token = await sign();
  assert.ok((await join(a, token)).ok);
  const other = new TextEncoder().encode('another secret of 32 bytes or so');
  secrets = [other];
  assert.ok((await join(a, token, ['lesson 2'])).ok, 'it asks again with what it has');
  assert.equal((await join(b, token)).code, 'unauthorized');
  secrets = [other, SECRET];
  assert.ok((await join(b, token)).ok);
  assert.ok((await join(b, await sign({ secret: other }))).ok);
});

test('a renewed token keeps the swarms that it covers, and the others are left', async (t) => {
  const { peer } = await start(t);
  const [a, b] = [await peer(), await peer()];
  const { peer: id } = (await join(a, await sign({ swarms: ['*'] }), ['lesson 1', 'staff room'])) as JoinReply;
  const later = await join(a, await sign(), ['lesson 2']);
  assert.deepEqual(
    later.swarms?.map(({ swarm }) => swarm),
    ['lesson 2'],
  );
  const seen = await join(b, await sign({ subject: 'ben', swarms: ['*'] }), ['lesson 1', 'lesson 2', 'staff room']);
  assert.deepEqual(
    seen.swarms?.map(({ members }) => members.includes(id)),
    [true, true, false],
  );
});

test('a later join with a wrong token is refused, and takes away nothing', async (t) => {
  const { peer, assertHealthy } = await start(t);
  const a = await peer();
  await join(a, await sign());
  assert.equal((await join(a, 'wrong', ['lesson 2'])).code, 'unauthorized');
  assert.ok((await join(a, undefined, ['lesson 1'])).ok);
  await assertHealthy();
});

/** A key pair, and its public half in a set. */
async function pair(alg: string, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg };
  const token = (claims: object = {}) =>
    new SignJWT({ swarms: ['*'], sub: 'anna', exp: 9e9, ...claims }).setProtectedHeader({ alg, kid }).sign(privateKey);
  return { jwk, token, publicKey };
}

test('tokens of a key set: its keys open, others do not, and its public key is no secret', async (t) => {
  const [es, ed, other] = [await pair('ES256', 'a'), await pair('EdDSA', 'b'), await pair('ES256', 'a')];
  const keys = { jwks: { keys: [es.jwk, ed.jwk] } };
  const { peer, refusals, assertHealthy } = await start(t, keys, es.token({ sub: 'healthy', peers: 100 }));
  assert.ok((await join(await peer(), await es.token())).ok);
  assert.ok((await join(await peer(), await ed.token())).ok);
  const confused = await new SignJWT({ swarms: ['*'], sub: 'anna', exp: 9e9 })
    .setProtectedHeader({ alg: 'HS256', kid: 'a' })
    .sign(new TextEncoder().encode(JSON.stringify(es.jwk)));
  for (const token of [await other.token(), confused, await sign({ swarms: ['*'] }), await es.token({ exp: 1 })])
    assert.equal((await join(await peer(), token)).code, 'unauthorized');
  assert.deepEqual([refusals['bad-token'], refusals['expired-token']], [3, 1]);
  await assertHealthy();
});

test('a key set that is published elsewhere is fetched once, and where it is gone clients are told to come again', async (t) => {
  const { jwk, token } = await pair('ES256', 'a');
  let asked = 0;
  let isUp = false;
  const host = createServer((_request, response) => {
    asked++;
    response.writeHead(isUp ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
  t.after(() => void host.close());
  const jwks = new URL(`http://127.0.0.1:${(host.address() as AddressInfo).port}/keys`);
  const { peer, refusals } = await serve(t, { jwks });
  const { code, retryAfter } = await join(await peer(), await token());
  assert.deepEqual([code, (retryAfter ?? 0) > 0], ['unauthorized', true]);
  assert.equal(refusals['token-keys-unreachable'], 1);
  isUp = true;
  for (let i = 0; i < 5; i++) assert.ok((await join(await peer(), await token())).ok);
  assert.equal(asked, 2);
});

test('without keys tokens are not looked at', async (t) => {
  const { url, assertHealthy } = await target(t);
  assert.ok((await join(await connect(t, url), 'whatever')).ok);
  await assertHealthy();
});
