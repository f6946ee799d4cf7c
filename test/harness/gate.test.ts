import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { countingServer, type CountingServer } from './counting-server.ts';
import { Gate } from './gate.ts';
import { until } from './until.ts';

const BODY = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

async function behindGate(t: TestContext, gate: Gate): Promise<CountingServer> {
  const server = createServer(({ url }, response) => response.end(url === '/empty' ? '' : BODY)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await countingServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, gate);
  t.after(async () => {
    gate.open();
    await proxy.dropAll();
    server.closeAllConnections();
    server.close();
  });
  return proxy;
}

test('a shut gate holds an answer after so many bytes, and lets the rest pass when it is opened', async (t) => {
  const gate = new Gate();
  const proxy = await behindGate(t, gate);
  gate.shut('/held', 100_001);
  const answer = await fetch(`${proxy.url}/held?query`);
  await until('what may pass', () => proxy.requests[0]?.bytes === 100_001);
  assert.equal(proxy.requests[0]!.state, 'open');
  assert.equal((await (await fetch(`${proxy.url}/other`)).arrayBuffer()).byteLength, BODY.length);
  gate.open();
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), BODY);
  assert.equal((await (await fetch(`${proxy.url}/held`)).arrayBuffer()).byteLength, BODY.length);
});

for (const [what, path, body] of [
  ['an answer of which nothing may pass', '/held', BODY],
  ['an answer without a body', '/empty', Buffer.alloc(0)],
] as const)
  test(`of ${what} not even the head comes`, async (t) => {
    const gate = new Gate();
    const proxy = await behindGate(t, gate);
    gate.shut(path);
    let isHere = false;
    const answer = fetch(proxy.url + path).then((answer) => {
      isHere = true;
      return answer.arrayBuffer();
    });
    await until('the request', () => proxy.requests[0]?.status === 200);
    await fetch(`${proxy.url}/other`).then((other) => other.arrayBuffer());
    assert.deepEqual([isHere, proxy.requests[0]!.bytes], [false, 0]);
    gate.open();
    assert.deepEqual(Buffer.from(await answer), body);
  });
