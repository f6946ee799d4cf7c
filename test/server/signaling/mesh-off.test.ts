import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, joinSwarms, run, until } from '../support.ts';

const join = (lot: number, swarms = ['x'], resume?: string) => ({
  version: 1,
  swarms,
  lot,
  ...(resume !== undefined && { resume }),
});

test('who is held out is in no swarm: nobody is named to it, and it is named to nobody', async (t) => {
  const { url, server } = await run(t, { holdout: 0.5, iceServers: [{ urls: 'stun:stun.example' }] });
  const [held, heldToo, other] = [await connect(t, url), await connect(t, url), await connect(t, url)];
  const reply = await held.ask('join', join(0));
  assert.deepEqual(
    { ...reply, peer: 0, resume: 0 },
    { ok: true, peer: 0, resume: 0, iceServers: [], swarms: [], off: 'holdout' },
  );
  await heldToo.ask('join', join(4999));
  const view = await other.ask('join', join(5000));
  assert.equal(view.off, undefined);
  assert.deepEqual([view.swarms?.[0]?.members, view.swarms?.[0]?.size], [[], 1]);
  const signal = { kind: 'refuse', connection: 1 };
  assert.equal((await other.ask('signal', { to: reply.peer, signal })).code, 'unknown-peer');
  assert.equal((await held.ask('signal', { to: view.peer, signal })).code, 'not-joined');
  assert.equal(server.signaling.peers, 1);
});

test('who is held out and comes back has the same peer id', async (t) => {
  const { url } = await run(t, { holdout: 1 });
  const first = await (await connect(t, url)).ask('join', join(0));
  const second = await (await connect(t, url)).ask('join', join(0, ['x'], first.resume));
  assert.equal(second.peer, first.peer);
});

test('without a lot the peer id decides, also at the next join', async (t) => {
  const { url, server } = await run(t, { holdout: 0.5 });
  const client = await connect(t, url);
  const { resume, off } = await client.ask('join', { version: 1, swarms: ['x'] });
  const again = await client.ask('join', { version: 1, swarms: ['x'], resume });
  assert.equal(again.off, off);
  assert.equal(server.signaling.peers, off === undefined ? 1 : 0);
});

test('switched off, the next join takes a peer out of its swarms; switched on, the next brings it back', async (t) => {
  const { url, server } = await run(t);
  const [a, b] = [await connect(t, url), await connect(t, url)];
  const joined = await joinSwarms(a, ['x', 'y']);
  const other = await joinSwarms(b, ['x']);
  server.meshSwitch.mesh = false;
  const off = await a.ask('join', { version: 1, swarms: ['z'], resume: joined.resume });
  assert.deepEqual([off.off, off.swarms, off.peer], ['switched-off', [], joined.peer]);
  assert.equal(server.signaling.peers, 1);
  await until('b hears that it is alone', () => b.states.some(({ swarm, size }) => swarm === 'x' && size === 1));
  assert.equal(
    (await b.ask('signal', { to: joined.peer, signal: { kind: 'refuse', connection: 1 } })).code,
    'unknown-peer',
  );
  a.states.length = 0;
  server.meshSwitch.mesh = true;
  const c = await connect(t, url);
  await joinSwarms(c, ['x']);
  await until('b hears of c', () => b.states.some(({ size }) => size === 2));
  assert.deepEqual(a.states, [], 'who is out hears no news');
  const on = await joinSwarms(a, ['x', 'y'], joined.resume);
  assert.equal(on.off, undefined);
  assert.equal(on.peer, joined.peer);
  assert.ok(on.swarms[0]?.members.includes(other.peer));
  assert.equal(server.signaling.peers, 3);
});

test('the end of a socket that was held out leaves the places of others alone', async (t) => {
  const { url, server } = await run(t);
  const a = await connect(t, url);
  const { resume } = await joinSwarms(a, ['x']);
  server.meshSwitch.mesh = false;
  await a.ask('join', { version: 1, swarms: ['x'], resume });
  server.meshSwitch.mesh = true;
  // the same browser on another socket
  const b = await connect(t, url);
  await joinSwarms(b, ['x'], resume);
  a.socket.disconnect();
  await until('the server knows', () => server.signaling.connections === 1);
  assert.equal(server.signaling.peers, 1);
  assert.equal((await joinSwarms(b, ['x'])).swarms[0]?.size, 1);
});
