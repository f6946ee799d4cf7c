import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGNALING_PATH } from '../../../../protocol/signaling.ts';
import { RETRY_WHEN_FULL_SECONDS } from '../../../../server/admission/limits.ts';
import { ask, connect, joinSwarms, testAddress, until } from '../../support.ts';
import { ATTACKER, target } from './healthy.ts';
import { connected, request, webSocket } from './raw-client.ts';

const POLL = `${SIGNALING_PATH}/?EIO=4&transport=polling`;
const PAGE = 'https://school.example';

test('a page of another origin is refused at the handshake, by WebSocket and by polling', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { origins: [PAGE] });
  for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`, `${PAGE}:8443`]) {
    const client = await webSocket(t, url, { headers: { origin } });
    assert.match(client.head ?? '', /^HTTP\/1.1 403/, origin);
    assert.equal((await ask(url, POLL, { origin })).status, 403, origin);
  }
  assert.equal(refused('origin'), 8);
  await assertHealthy();
});

test('who says no origin is refused where there is a list, but for a page of the server itself that polls', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { origins: [PAGE] });
  assert.match((await webSocket(t, url)).head ?? '', /^HTTP\/1.1 403/);
  assert.equal((await ask(url, POLL)).status, 403);
  assert.equal((await ask(url, POLL, { host: 'school.example' })).status, 403);
  assert.equal((await ask(url, POLL, { host: 'evil.example', 'sec-fetch-site': 'same-origin' })).status, 403);
  assert.equal(refused('origin'), 4);
  assert.equal((await ask(url, POLL, { host: 'school.example', 'sec-fetch-site': 'same-origin' })).status, 200);
  await assertHealthy();
});

test('without a list everybody may join, also who says no origin', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  await connected(t, url, { headers: { origin: 'https://any.example' } });
  await connected(t, url);
  assert.equal(refused('origin'), 0);
  await assertHealthy();
});

test('a flood of connects of one address is refused at HTTP, and other addresses are not', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { limits: { connectsPerAddress: 2 } }); // 20 in 10 s
  const clients = await Promise.all(Array.from({ length: 60 }, () => webSocket(t, url, { address: ATTACKER })));
  assert.equal(clients.filter(({ head }) => head?.startsWith('HTTP/1.1 101')).length, 20);
  assert.equal(refused('connect-rate'), 40);
  const over = clients.filter(({ head }) => !head?.startsWith('HTTP/1.1 101'));
  for (const { head, body } of over) {
    assert.match(head ?? '', /^HTTP\/1.1 429 .*\r\nretry-after: ([1-9]|10)\r\n/is);
    assert.match(body, /^Too many new connections\. Try again in \d+ s\.$/);
  }
  const polled = await ask(url, POLL, { 'x-test-address': ATTACKER });
  assert.equal(polled.status, 403);
  assert.match(String(polled.headers['retry-after']), /^([1-9]|10)$/);
  assert.match(polled.text, /Try again in \d+ s/);
  await assertHealthy();
});

test('a limiter that fails, as Redis may, lets all in', async (t) => {
  const { assertHealthy } = await target(t, { connects: { take: () => Promise.reject(new Error('gone')) } });
  await assertHealthy();
});

for (const [what, limits, reason] of [
  ['all places are', { connections: 4 }, 'connections'],
  ['the places of an address are', { connectionsPerAddress: 3 }, 'connections-of-address'],
  ['the places of a site are', { connectionsPerSite: 3 }, 'connections-of-site'],
] as const) {
  test(`who comes when ${what} taken learns a code and when to come again, and may when one is free`, async (t) => {
    const { url, refused, signaling, assertHealthy } = await target(t, { limits });
    const taken = await Promise.all([1, 2, 3].map(() => connect(t, url, ATTACKER)));
    const error = await connect(t, url, ATTACKER).then(
      () => assert.fail('was let in'),
      (reason: unknown) => reason as Error & { data?: unknown },
    );
    assert.deepEqual(error.data, { code: 'full', retryAfter: RETRY_WHEN_FULL_SECONDS });
    assert.ok(!error.message.includes(ATTACKER));
    assert.equal(refused(reason), 1);
    if (reason !== 'connections') await assertHealthy();
    taken[0]?.socket.disconnect();
    await until('there is a place', () => signaling.connections <= 3);
    await joinSwarms(await connect(t, url, ATTACKER), ['x']);
    for (const { socket } of taken) socket.disconnect();
    await until('there are places', () => signaling.connections <= 2);
    await assertHealthy();
  });
}

test('a refused client that does not go is ended', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { limits: { connectionsPerAddress: 2 } });
  await connected(t, url, { address: ATTACKER });
  await connected(t, url, { address: ATTACKER });
  const stays = await webSocket(t, url, { address: ATTACKER });
  stays.frame('40');
  await stays.has('"code":"full"');
  await stays.gone();
  assert.equal(refused('connections-of-address'), 1);
  assert.equal(refused('never-joined'), 0);
  await assertHealthy();
});

test('far more than the limit are not even let in to be told', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t, { limits: { connections: 10 } });
  const flood = [];
  for (let i = 0; i < 30; i++) flood.push(await webSocket(t, url, { address: ATTACKER }));
  assert.equal(signaling.connections, 11);
  assert.equal(refused('flooded'), 20);
  const retry = new RegExp(`^HTTP/1.1 429 .*\\r\\nretry-after: ${RETRY_WHEN_FULL_SECONDS}\\r\\n`, 'is');
  assert.equal(flood.filter(({ head }) => retry.test(head ?? '')).length, 20);
  for (const { socket } of flood) socket.destroy();
  await until('there are places', () => signaling.connections === 1);
  await assertHealthy();
});

test('a handshake that makes no sense is a short no, with no stack in it', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const queries = [
    '',
    '?EIO=4',
    '?EIO=4&transport=carrier-pigeon',
    '?EIO=4&transport=__proto__',
    '?EIO=3&transport=polling',
    '?EIO=4&transport=polling&sid=__proto__',
    '?EIO=4&transport=polling&sid=constructor',
    '?EIO=4&transport=websocket&sid=toString',
    '?__proto__[x]=1&EIO=4&transport=polling&sid=hasOwnProperty',
    `?EIO=4&transport=polling&sid=${'x'.repeat(8000)}`,
  ];
  for (const query of queries) {
    const client = await request(t, url, `GET ${SIGNALING_PATH}/${query}`, { connection: 'close' });
    await until('it is answered', () => client.head);
    assert.match(client.head ?? '', /^HTTP\/1.1 400/, query);
    assert.ok(!/\.(js|ts):\d+/.test(client.body), client.body);
  }
  for (const query of ['?EIO=3&transport=websocket', '?EIO=4&transport=websocket&sid=toString']) {
    const client = await webSocket(t, url, { query });
    await client.gone();
  }
  assert.equal(refused('unknown-session'), 5);
  assert.equal(refused('bad-handshake'), queries.length + 2 - 5);
  await assertHealthy();
});

test("who asks by HTTP for its own WebSocket's session, or for one that polling has left, gets a no, and nothing is left open", async (t) => {
  const { url, assertHealthy } = await target(t);
  const client = await webSocket(t, url, { address: ATTACKER });
  const [{ sid }] = await until('it is told its session', () => {
    const [first] = client.received;
    return first !== undefined && ([JSON.parse(first.slice(1))] as [{ sid: string }]);
  });
  for (const query of [`transport=websocket&sid=${sid}`, `transport=polling&transport=websocket&sid=${sid}`])
    for (const method of ['GET', 'POST']) {
      const asked = await request(t, url, `${method} ${SIGNALING_PATH}/?EIO=4&${query}`, { 'content-length': '0' });
      await until('it is answered', () => asked.head);
      assert.match(asked.head ?? '', /^HTTP\/1.1 400/);
    }
  const polled = await request(t, url, `GET ${SIGNALING_PATH}/?EIO=4&transport=polling&sid=${sid}`, {});
  await until('it is answered', () => polled.head);
  assert.match(polled.head ?? '', /^HTTP\/1.1 400/);
  await assertHealthy();
});

test('a handshake that can not be judged is refused, and nobody else notices', async (t) => {
  const addressOf: typeof testAddress = (request) => {
    if (request.headers['x-test-address'] === ATTACKER) throw new Error('no address');
    return testAddress(request);
  };
  const { url, refused, assertHealthy } = await target(t, {}, { addressOf });
  const client = await webSocket(t, url, { address: ATTACKER });
  assert.match(client.head ?? '', /^HTTP\/1.1 500 /);
  assert.equal((await ask(url, POLL, { 'x-test-address': ATTACKER })).status, 403);
  assert.equal((await ask(url, `${SIGNALING_PATH}/`, { 'x-test-address': ATTACKER })).status, 400);
  const old = await webSocket(t, url, { address: ATTACKER, query: '?EIO=3&transport=websocket' });
  await old.gone();
  assert.equal(refused('bad-handshake'), 4);
  await assertHealthy();
});

test('a client that resets its connection while it is judged ends nothing but that', async (t) => {
  let judge: () => void = () => undefined;
  let asked = 0;
  const judged = new Promise<void>((resolve) => (judge = resolve));
  const { url, assertHealthy } = await target(t, {
    connects: {
      take: async (address) => {
        if (address !== ATTACKER) return 0;
        asked++;
        await judged;
        return 0;
      },
    },
  });
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const client = await request(t, url, `GET ${SIGNALING_PATH}/?EIO=4&transport=websocket`, {
    ...upgrade,
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'x-test-address': ATTACKER,
  });
  await until('it is judged', () => asked === 1);
  client.socket.resetAndDestroy();
  await assertHealthy(); // by now the reset is here
  judge();
  await assertHealthy();
});
