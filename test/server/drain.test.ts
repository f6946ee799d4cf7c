import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ask, bytes, connect, folderOf, joinSwarms, run, until } from './support.ts';

test('a drain sends peers away over the time, each by the end of its transport, and refuses new ones', async (t) => {
  const { url, server } = await run(t);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(t, url)));
  const gone: number[] = [];
  const startedAt = performance.now();
  for (const [index, client] of clients.entries()) {
    await joinSwarms(client, ['x']);
    // socket.io's own word for it; `io server disconnect` would make a client stay away
    client.socket.once('disconnect', (reason) => {
      assert.match(reason, /transport/);
      gone.push(index);
    });
  }
  const drained = server.drain(1000);
  const { status, text } = await ask(url, '/readyz');
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(text), { ready: false, draining: true });
  assert.equal((await ask(url, '/healthz')).status, 200, 'it lives');
  assert.equal((await ask(url, '/healthz', { connection: 'keep-alive' })).headers.connection, 'close');
  await assert.rejects(connect(t, url));
  assert.equal((await ask(url, '/p2p/signal/?EIO=4&transport=polling')).status, 503);
  assert.ok(server.signaling.counters.refusals['shutting-down'] >= 2, 'they are counted');
  assert.ok(gone.length < 10, 'not all at once');
  await drained;
  assert.ok(performance.now() - startedAt >= 850, 'over the time');
  await until('all are gone', () => gone.length === 10);
  assert.equal(server.signaling.peers, 0);
});

test('with nobody there a drain is over at once', async (t) => {
  const { server } = await run(t);
  const startedAt = performance.now();
  await server.drain(60_000);
  assert.ok(performance.now() - startedAt < 1000);
});

test('responses under way end before the drain is over, unless they take too long', async (t) => {
  const media = await folderOf(t, { 'film.mp4': bytes(20_000_000) });
  const { url, server } = await run(t, { media });
  const slow = await fetch(`${url}/media/film.mp4`);
  let isOver = false;
  const drained = server.drain(60_000).then(() => (isOver = true));
  await until('not ready', async () => (await ask(url, '/readyz')).status === 503);
  assert.ok(!isOver);
  assert.equal((await slow.arrayBuffer()).byteLength, 20_000_000);
  await drained;
  const stuck = await fetch(`${url}/media/film.mp4`);
  await server.drain(100);
  await stuck.body?.cancel();
});

test('a drain can be cut short', async (t) => {
  const { url, server } = await run(t);
  const clients = await Promise.all([connect(t, url), connect(t, url), connect(t, url)]);
  for (const client of clients) await joinSwarms(client, ['x']);
  const hurry = new AbortController();
  const drained = server.drain(3_600_000, hurry.signal);
  await Promise.race(clients.map(({ socket }) => once(socket as never, 'disconnect')));
  hurry.abort();
  await drained;
});

test('to be asked to join again is to lose the transport, and the server lets one in again', async (t) => {
  const { url, server } = await run(t);
  const client = await connect(t, url);
  const { resume, peer } = await joinSwarms(client, ['x']);
  const ended = once(client.socket as never, 'disconnect');
  await server.signaling.renew(1000, new AbortController().signal);
  await ended;
  assert.equal((await joinSwarms(await connect(t, url), ['x'], resume)).peer, peer);
});
