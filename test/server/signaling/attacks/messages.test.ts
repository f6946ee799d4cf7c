import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SWARMS } from '../../../../protocol/limits.ts';
import {
  BYTES_BURST,
  CLAIM_BURST,
  JOIN_BURST,
  MAX_PACKETS_PER_SWEEP,
  SIGNAL_BURST,
} from '../../../../server/admission/limits.ts';
import { BEACON_BURST } from '../../../../server/beacons/limits.ts';
import { MAX_BAD_MESSAGES, MAX_SIGNALING_BYTES } from '../../../../server/limits.ts';
import { connect, joinSwarms, until, type Reply } from '../../support.ts';
import { ATTACKER, offer, target } from './healthy.ts';
import { connected, FIN, joined, RSV2, webSocket } from './raw-client.ts';

const digest = '0f'.repeat(32);
const beacon = {
  bytes: { origin: 1, peers: 2, store: 3, uploaded: 4 },
  stalls: 0,
  stalled: 0,
  firstFrames: [],
  noMesh: null,
};
const from = { address: ATTACKER };
/** Opcodes of RFC 6455, 5.2. */
const [CONTINUATION, TEXT, PING] = [0, 1, 9];
const noStack = (text: string): void => assert.ok(!/\.(js|ts):\d+|\bat .*\(/.test(text), text);

test('unknown events are refused in words, counted, and end the connection if they do not stop', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  const client = await connected(t, url, from);
  for (const event of ['shutdown', '__proto__', 'constructor', 'toString', '', 'connected'])
    client.frame(`421${JSON.stringify([event, {}])}`);
  await until('they are answered', () => client.received.filter((text) => text.startsWith('431')).length === 6);
  for (const text of client.received) noStack(text);
  assert.equal(refused('bad-message'), 6);
  for (let i = 0; i < MAX_BAD_MESSAGES; i++) client.frame(`42${JSON.stringify(['shutdown'])}`);
  await client.gone();
  assert.equal(signaling.counters.cutOff, 1);
  await assertHealthy();
});

test('keys of prototypes in any message change nothing', async (t) => {
  const { url, assertHealthy } = await target(t);
  const { client } = await joined(t, url, 'x', from);
  const evil =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"version":1,"swarms":["__proto__"]}';
  for (const event of ['join', 'leave', 'signal', 'claim', 'report']) client.frame(`427["${event}",${evil}]`);
  client.frame(`427["join",{"version":1,"swarms":{"__proto__":["x"],"length":1}}]`);
  client.frame(`427["signal",{"to":"__proto__","signal":{"kind":"__proto__"}}]`);
  await until('they are answered', () => client.received.filter((text) => text.startsWith('437')).length === 7);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  await assertHealthy();
});

test('a message that is too long ends the connection before it is read', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  const client = await connected(t, url, from);
  client.frame(`420["join",{"version":1,"swarms":["${'x'.repeat(MAX_SIGNALING_BYTES)}"]}]`);
  await client.gone();
  const inParts = await connected(t, url, from);
  inParts.frame('420["join",{"version":1,"swarms":["', TEXT, 0);
  for (let sent = 0; sent < MAX_SIGNALING_BYTES; sent += 1000) inParts.frame('x'.repeat(1000), CONTINUATION, 0);
  await inParts.gone();
  await until('they are forgotten', () => signaling.connections === 1);
  assert.equal(refused('too-long'), 2);
  await assertHealthy();
});

test('what is no WebSocket frame ends the connection, and is counted', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  for (const [payload, opcode, bits] of [
    ['40', TEXT, FIN | RSV2], // a bit that nobody agreed on
    ['40', 3, FIN], // an opcode that there is not
    ['40', CONTINUATION, FIN], // of nothing
    ['x'.repeat(126), PING, FIN], // control frames are short
    ['x', PING, 0], // and whole
  ] as const) {
    const client = await connected(t, url, from);
    client.frame(payload, opcode, bits);
    await client.gone();
  }
  const unmasked = await connected(t, url, from);
  unmasked.socket.write(Buffer.from([FIN | TEXT, 2, ...Buffer.from('40')]));
  await unmasked.gone();
  await until('they are forgotten', () => signaling.connections === 1);
  assert.equal(refused('bad-packet'), 6);
  await assertHealthy();
});

test('deeply nested JSON and numbers that are none are refused like any other', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const client = await connected(t, url, from);
  client.frame(`420["join",${'['.repeat(30_000)}${']'.repeat(30_000)}]`);
  await client.has('430');
  client.frame('421["join",{"version":1e999,"swarms":[]}]');
  await client.has('431');
  client.frame(`422["join",{"version":1,"swarms":[${'"a",'.repeat(15_000)}"a"]}]`);
  await client.has('too-many-swarms');
  assert.ok(refused('bad-message') >= 1);
  await assertHealthy();
});

test('another namespace ends the connection, before and after joining', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const early = await webSocket(t, url, from);
  early.frame('40/admin,{}');
  await early.gone();
  const { client } = await joined(t, url, 'x', from);
  client.frame('42/admin,["join",{}]');
  await client.gone();
  assert.equal(refused('bad-packet'), 2);
  await assertHealthy();
});

test('out of order: an event before the connect, answers to nothing, a connect after the connect', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const early = await webSocket(t, url, from);
  early.frame('42["join",{"version":1,"swarms":["x"]}]');
  await early.gone();
  const answers = await connected(t, url, from);
  answers.frame('431[{"ok":true}]');
  await answers.gone();
  assert.equal(refused('bad-packet'), 2);
  const twice = await connected(t, url, from);
  twice.frame('40');
  await twice.gone();
  assert.equal(refused('second-connect'), 1);
  await assertHealthy();
});

test('many connects in one piece make one session, and are the end of it', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  const client = await webSocket(t, url, from);
  for (let i = 0; i < 100; i++) client.frame('40');
  await client.gone();
  assert.ok(refused('second-connect') >= 1);
  await until('it is forgotten', () => signaling.connections === 1);
  await assertHealthy();
});

test('binary for text, and attachments that are announced, end the connection before anything is kept', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const attacks = [
    '451-["join",{"_placeholder":true,"num":0}]', // and then never sends it
    '4510-["join",{}]',
    '45999999999-["join",{}]',
    '461-1[{"_placeholder":true,"num":0}]',
    'bAAAA', // base64 of engine.io
    Buffer.alloc(1000),
  ];
  await Promise.all(
    attacks.map(async (attack) => {
      const { client } = await joined(t, url, 'x', from);
      client.frame(attack);
      await client.gone();
    }),
  );
  assert.ok(refused('bad-packet') >= 5, String(refused('bad-packet')));
  await assertHealthy();
});

test('packets that are no packets end the connection, also where the client says no goodbye', async (t) => {
  const { url, signaling, assertHealthy } = await target(t);
  const attacks = ['', '4', '49', '4\0', '42', '42{', '42[]', '42["connect"]', '420', '9', 'x', '42[null]', '2'];
  await Promise.all(
    attacks.map(async (attack) => {
      const client = await connected(t, url, from);
      client.frame(attack);
      await client.gone().catch(() => assert.fail(`still there after ${JSON.stringify(attack)}`));
    }),
  );
  assert.equal(signaling.connections, 1);
  await assertHealthy();
});

test('who said goodbye and goes on talking is ended, and nothing of it counts', async (t) => {
  const { url, signaling, assertHealthy } = await target(t);
  const { client } = await joined(t, url, 'x', from);
  client.frame('41');
  await until('it is no peer any more', () => signaling.peers === 1);
  client.frame('427["join",{"version":1,"swarms":["x"]}]');
  await client.gone();
  assert.ok(!client.received.some((text) => text.startsWith('437')));
  assert.equal(signaling.peers, 1);
  await assertHealthy();
});

test('too many joins, signals, claims, reports and beacons are refused with when to go on, and are no bad messages', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  for (const [event, message, burst, reason] of [
    ['join', { version: 1, swarms: ['x'] }, JOIN_BURST, 'joins'],
    ['claim', { swarm: 'x', digest }, CLAIM_BURST, 'claims'],
    ['signal', { to: '00'.repeat(16), signal: offer }, SIGNAL_BURST, 'signals'],
    ['report', { peer: '00'.repeat(16) }, 12, 'reports'],
    ['beacon', beacon, BEACON_BURST, 'beacons'],
  ] as const) {
    const client = await connect(t, url, ATTACKER);
    await joinSwarms(client, ['x']);
    let last: Reply = { ok: true };
    for (let sent = 0; sent < 3 * burst && last.code !== 'too-fast'; sent += 10)
      last = (await Promise.all(Array.from({ length: 10 }, () => client.ask(event, message)))).at(-1) ?? last;
    assert.equal(last.code, 'too-fast', event);
    assert.ok(Number.isSafeInteger(last.retryAfter) && (last.retryAfter ?? 0) > 0);
    assert.ok(refused(reason) > 0);
    assert.equal(client.socket.connected, true);
  }
  assert.equal(signaling.counters.badMessages, 0);
  await assertHealthy();
});

test('each swarm of a join counts', async (t) => {
  const { url, signaling, assertHealthy } = await target(t, { limits: { joins: 0.1 } });
  const client = await connect(t, url, ATTACKER);
  const swarms = Array.from({ length: 16 }, (_, index) => `${index}`);
  let joined = 0;
  for (;;) {
    const { ok, code } = await client.ask('join', { version: 1, swarms });
    if (!ok) {
      assert.equal(code, 'too-fast');
      break;
    }
    joined += swarms.length;
  }
  assert.equal(joined, Math.floor(JOIN_BURST / swarms.length) * swarms.length);
  assert.equal(signaling.counters.badMessages, 0);
  await assertHealthy();
});

test('who would be in more swarms than a peer may is in none of them, and is ended if it does not stop', async (t) => {
  const { url, refused, signaling, assertHealthy } = await target(t);
  const client = await connect(t, url, ATTACKER);
  await joinSwarms(
    client,
    Array.from({ length: MAX_SWARMS }, (_, index) => `${index}`),
  );
  const more = (): Promise<Reply> => client.ask('join', { version: 1, swarms: ['healthy'] });
  assert.equal((await more()).code, 'too-many-swarms');
  await assertHealthy();
  for (let i = 0; i < MAX_BAD_MESSAGES; i++) more().catch(() => undefined);
  await until('it is ended', () => !client.socket.connected);
  assert.equal(refused('too-many-swarms'), MAX_BAD_MESSAGES + 1);
  assert.equal(signaling.counters.cutOff, 1);
  await assertHealthy();
});

test('who was too fast is heard again at the pace that is allowed', async (t) => {
  const { url, assertHealthy } = await target(t, { limits: { claims: 20 } });
  const client = await connect(t, url, ATTACKER);
  await joinSwarms(client, ['x']);
  const claim = (): Promise<Reply> => client.ask('claim', { swarm: 'x', digest });
  for (;;) if ((await claim()).code === 'too-fast') break;
  await assertHealthy();
  await until('it may claim again', async () => (await claim()).ok);
});

test('a flood of packets is cut off at once, whatever they are', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  for (const packet of ['3', '6', '42["signal",{}]']) {
    const { client } = await joined(t, url, 'x', from);
    const count = (): number => refused('packets') + refused('bad-message') + refused('bad-packet');
    const before = count();
    for (let i = 0; i < 2 * MAX_PACKETS_PER_SWEEP; i++) client.frame(packet);
    await client.gone();
    assert.ok(count() > before, packet);
  }
  assert.ok(refused('packets') >= 1);
  await assertHealthy();
});

test('where peers may send more than that, packets are no flood', async (t) => {
  const { url, refused, assertHealthy } = await target(t, { limits: { signals: MAX_PACKETS_PER_SWEEP } });
  const { client } = await joined(t, url, 'x', from);
  for (let i = 0; i < 2 * MAX_PACKETS_PER_SWEEP; i++) client.frame('3');
  client.frame('427["leave",{"swarms":[]}]');
  await until('it is answered', () => client.received.some((text) => text.startsWith('437')));
  assert.equal(refused('packets'), 0);
  await assertHealthy();
});

test('more bytes than a peer may send end the connection, also where they are no packets: pings of WebSockets, fragments', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const pinging = await joined(t, url, 'x', from);
  for (let sent = 0; sent < 2 * BYTES_BURST; sent += 131) pinging.client.frame('p'.repeat(125), PING);
  await pinging.client.gone();
  const parts = await joined(t, url, 'x', from);
  parts.client.frame('42', TEXT, 0);
  // each is empty, so that the message never is too long
  for (let sent = 0; sent < 2 * BYTES_BURST; sent += 6) parts.client.frame('', CONTINUATION, 0);
  await parts.client.gone();
  const before = refused('bytes');
  const { client } = await joined(t, url, 'x', from);
  const signal = JSON.stringify(['signal', { to: '00'.repeat(16), signal: { ...offer, sdp: 'x'.repeat(8000) } }]);
  for (let sent = 0; sent < 2 * BYTES_BURST; sent += signal.length) client.frame(`42${signal}`);
  await client.gone();
  assert.equal(refused('bytes') - before, 1);
  assert.ok(before + refused('too-long') >= 1, 'nobody may go on like that');
  await assertHealthy();
});
