import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { countingServer, type CountingServer } from './counting-server.ts';
import { Line } from './line.ts';
import { until } from './until.ts';

const RATE = 4e6; // 500 kB/s

/** An origin whose answers have as many bytes as their path says, behind a line. */
async function behindLine(t: TestContext): Promise<CountingServer> {
  const server = createServer(({ url }, response) => response.end(Buffer.alloc(Number(url?.slice(1))))).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const proxy = await countingServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, new Line(RATE));
  t.after(async () => {
    await proxy.dropAll();
    server.closeAllConnections();
    server.close();
  });
  return proxy;
}

const load = async (proxy: CountingServer, bytes: number): Promise<number> =>
  (await (await fetch(`${proxy.url}/${bytes}`)).arrayBuffer()).byteLength;

test('all answers together cross a line no faster than its rate', async (t) => {
  const proxy = await behindLine(t);
  const begin = performance.now();
  assert.deepEqual(await Promise.all([load(proxy, 100_000), load(proxy, 100_000)]), [100_000, 100_000]);
  const elapsed = performance.now() - begin;
  assert.ok(elapsed >= 395, `200 kB took ${elapsed.toFixed(0)} ms`);
  assert.equal(proxy.bytes(/./), 200_000);
});

test('a small answer does not wait for a large one that began before', async (t) => {
  const proxy = await behindLine(t);
  let largeIsHere = false;
  const large = load(proxy, 500_000).then(() => (largeIsHere = true));
  await until('the large one has begun', () => (proxy.requests[0]?.bytes ?? 0) > 0);
  await load(proxy, 10_000);
  assert.equal(largeIsHere, false);
  await large;
});

test('what is left of an answer that its client gave up does not cross', async (t) => {
  const proxy = await behindLine(t);
  const controller = new AbortController();
  const answer = await fetch(`${proxy.url}/5000000`, { signal: controller.signal });
  await answer.body!.getReader().read();
  controller.abort();
  await until('the note', () => proxy.requests[0]?.state === 'aborted');
  const begin = performance.now();
  await load(proxy, 10_000);
  assert.ok(performance.now() - begin < 5000, 'the 10 s of the first one were waited for');
  assert.ok(proxy.requests[0]!.bytes < 1_000_000);
});
