import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { pino, type Level } from 'pino';
import { clientAddress } from '../../../server/client-address.ts';
import type { ServerOptions } from '../../../server/index.ts';
import { ask, bytes, folderOf, run, until } from '../support.ts';

interface Line {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly aborted: boolean;
  readonly milliseconds: number;
  readonly msg: string;
  readonly address?: string;
}

/** A server with these files in its media folder, and the lines of its access log. */
async function logged(
  t: TestContext,
  files: Record<string, string | Uint8Array>,
  level: Level = 'debug',
  options: Partial<ServerOptions> = {},
) {
  const lines: Line[] = [];
  const log = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  const { url } = await run(t, { media: await folderOf(t, files), log, ...options });
  const answered = (): Line[] => lines.filter(({ msg }) => msg === 'answered');
  return { url, answered };
}

/** Sends these bytes on one connection and gives all that comes back until the server ends it. */
async function raw(url: string, request: string): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(request);
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

const get = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');

test('each response is one line with what went onto its connection, headers included', async (t) => {
  const { url, answered } = await logged(t, { 'a.ts': bytes(300_000), 'index.m3u8': '#EXTM3U\n' });
  for (const [path, status] of [
    ['/media/a.ts', 200],
    ['/media/index.m3u8', 200],
    ['/nothing', 404],
  ] as const) {
    const received = await raw(url, get(path, 'Connection: close'));
    const line = await until('the line is there', () => answered().find((each) => each.path === path));
    assert.deepEqual(
      [line.method, line.status, line.bytes, line.aborted],
      ['GET', status, received.length, false],
      path,
    );
    assert.ok(line.milliseconds >= 0 && line.milliseconds < 10_000);
  }
});

test('pipelined responses are counted each on its own', async (t) => {
  const { url, answered } = await logged(t, { 'a.ts': bytes(200_000), 'b.ts': bytes(1_000) });
  const received = await raw(url, get('/media/a.ts') + get('/media/b.ts', 'Connection: close'));
  await until('both lines are there', () => answered().length === 2);
  const [a = 0, b = 0] = ['/media/a.ts', '/media/b.ts'].map(
    (path) => answered().find((each) => each.path === path)?.bytes,
  );
  assert.equal(a + b, received.length);
  assert.ok(a > 200_000 && a < 201_000, String(a));
  assert.ok(b > 1_000 && b < 2_000, String(b));
});

test('a range and a HEAD cost what they send', async (t) => {
  const { url, answered } = await logged(t, { 'a.ts': bytes(300_000) });
  await ask(url, '/media/a.ts', { range: 'bytes=0-99' });
  await ask(url, '/media/a.ts', {}, 'HEAD');
  const lines = await until('both lines are there', () => answered().length === 2 && answered());
  assert.deepEqual(
    lines.map(({ method, status }) => [method, status]),
    [
      ['GET', 206],
      ['HEAD', 200],
    ],
  );
  for (const line of lines) assert.ok(line.bytes > 100 && line.bytes < 1_000, `${line.method}: ${line.bytes}`);
});

test('a response that its client gives up counts what was handed over until then', async (t) => {
  const { url, answered } = await logged(t, { 'film.mp4': bytes(30_000_000) });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(get('/media/film.mp4'));
  await once(socket, 'data');
  socket.destroy();
  const line = await until('the line is there', () => answered()[0]);
  assert.equal(line.aborted, true);
  assert.ok(line.bytes > 0 && line.bytes < 30_000_000, String(line.bytes));
});

test('a query is not logged: it may carry tokens', async (t) => {
  const { url, answered } = await logged(t, { 'a.ts': 'x' });
  await ask(url, '/media/a.ts?token=secret');
  const line = await until('the line is there', () => answered()[0]);
  assert.equal(line.path, '/media/a.ts');
  assert.ok(!JSON.stringify(line).includes('secret'));
});

test('above debug there are no such lines', async (t) => {
  const { url, answered } = await logged(t, { 'a.ts': 'x' }, 'info');
  await ask(url, '/media/a.ts');
  await ask(url, '/healthz');
  assert.deepEqual(answered(), []);
});

test('the address is that of the viewer, not of the proxy, and is there only where it may be', async (t) => {
  for (const [logAddresses, expected] of [
    [true, '203.0.113.7'],
    [false, undefined],
  ] as const) {
    const { url, answered } = await logged(t, {}, 'debug', { logAddresses, addressOf: clientAddress(1) });
    await ask(url, '/healthz', { 'x-forwarded-for': '203.0.113.7' });
    const line = await until('the line is there', () => answered()[0]);
    assert.equal(line.address, expected);
  }
});
