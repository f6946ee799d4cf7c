import assert from 'node:assert/strict';
import test from 'node:test';
import { serve } from './serve.ts';

test('the server answers, is killed and comes back on its port', async (t) => {
  const server = await serve();
  t.after(() => server.kill('SIGKILL'));
  const { url, pid } = server;
  assert.equal((await fetch(`${url}/media/lesson/index.m3u8`)).status, 200);
  assert.equal(await server.kill('SIGKILL'), null);
  await assert.rejects(fetch(`${url}/healthz`));
  await server.start();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.notEqual(server.pid, pid);
  assert.equal(await server.kill(), 0);
});
