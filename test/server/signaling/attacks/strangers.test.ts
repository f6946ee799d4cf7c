import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, joinSwarms, until, type Client } from '../../support.ts';
import { ATTACKER, offer, target } from './healthy.ts';

const SITES = ['203.0.113.1', '203.0.113.2', '203.0.113.3'];

test('a signal to who one was not introduced to is refused as if nobody were there', async (t) => {
  const { url, friend, refused, assertHealthy } = await target(t);
  const victim = await connect(t, url, SITES[0]);
  const { peer } = await joinSwarms(victim, ['private']);
  const stranger = await connect(t, url, ATTACKER);
  await joinSwarms(stranger, ['elsewhere']);
  const reply = await stranger.ask('signal', { to: peer, signal: offer });
  const nobody = await stranger.ask('signal', { to: '00'.repeat(16), signal: offer });
  assert.deepEqual(reply, nobody);
  assert.equal(reply.code, 'unknown-peer');
  assert.equal(refused('not-introduced'), 1);
  assert.deepEqual([victim.signals, friend.signals], [[], []]);
  await assertHealthy();
});

test('of two that a join reply named to each other either may begin, and a crosser may be offered to', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  const [alice, bob] = [await joinSwarms(a, ['x']), await joinSwarms(b, ['x'])];
  assert.ok((await a.ask('signal', { to: bob.peer, signal: offer })).ok, 'bob was told of alice');
  assert.ok((await b.ask('signal', { to: alice.peer, signal: offer })).ok);
  const digest = '0f'.repeat(32);
  const c = await connect(t, url);
  const carol = await joinSwarms(c, ['y']);
  const d = await connect(t, url);
  await joinSwarms(d, ['y']);
  await c.ask('claim', { swarm: 'y', digest });
  assert.equal((await d.ask('claim', { swarm: 'y', digest })).ok, true);
  assert.ok((await d.ask('signal', { to: carol.peer, signal: offer })).ok);
  assert.equal(refused('not-introduced'), 0);
  await assertHealthy();
});

/** A bad peer, and as many neighbours at each of these addresses as asked. */
async function neighbourhood(t: Parameters<typeof connect>[0], url: string, addresses: readonly string[]) {
  const bad = await connect(t, url, ATTACKER);
  const { peer, resume } = await joinSwarms(bad, ['class']);
  const others: Client[] = [];
  for (const address of addresses) {
    const client = await connect(t, url, address);
    await joinSwarms(client, ['class']);
    others.push(client);
  }
  return { bad, peer, resume, others, report: (index: number) => others[index]?.ask('report', { peer }) };
}

test('a peer that neighbours of three sites report is introduced to nobody, and its signals reach nobody', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const [one = ''] = SITES;
  const { bad, peer, resume, report } = await neighbourhood(t, url, [one, ...SITES]);
  assert.deepEqual(await report(0), { ok: true });
  for (const index of [1, 2]) await report(index);
  assert.equal(bad.socket.connected, true);
  await report(3);
  await until('it is put out', () => !bad.socket.connected);
  const newcomer = await connect(t, url, one);
  assert.ok(!JSON.stringify(await joinSwarms(newcomer, ['class'])).includes(peer), 'neither as member nor as keeper');
  const again = await connect(t, url, ATTACKER);
  const { code, retryAfter } = await again.ask('join', { version: 1, swarms: ['class'], resume });
  assert.deepEqual([code, (retryAfter ?? 0) > 60], ['unauthorized', true]);
  assert.equal(refused('reported'), 1);
  await assertHealthy();
});

test('one voice bans nobody, however often it speaks; nor do three of one site', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const [one = ''] = SITES;
  const { bad, report } = await neighbourhood(t, url, [one, one, one, one]);
  for (let i = 0; i < 5; i++) await report(0);
  for (let i = 0; i < 4; i++) await report(i);
  assert.equal(bad.socket.connected, true);
  assert.equal(refused('reported'), 0);
  await assertHealthy();
});

test('reports of strangers do not count', async (t) => {
  const { url, refused, assertHealthy } = await target(t);
  const { bad, peer } = await neighbourhood(t, url, []);
  for (const address of SITES) {
    const stranger = await connect(t, url, address);
    await joinSwarms(stranger, ['elsewhere']);
    assert.equal((await stranger.ask('report', { peer })).code, 'unknown-peer');
  }
  const early = await connect(t, url, SITES[0]);
  assert.equal((await early.ask('report', { peer })).code, 'not-joined');
  assert.equal(bad.socket.connected, true);
  assert.equal(refused('not-introduced'), 3);
  await assertHealthy();
});
