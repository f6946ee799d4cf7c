import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { after, before } from 'node:test';
import type { OriginRequest, OriginResponse } from '../../../mesh/core/ports.ts';
import { fetchOrigin } from '../../../mesh/io/fetch-origin.ts';
import { testBody } from '../world/test-asset.ts';

const BODY = testBody(200_000, 3);
const seen: IncomingMessage[] = [];
const closed: string[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  seen.push(request);
  response.on('close', () => closed.push(`${request.url} ${response.writableFinished}`));
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  switch (request.url ?? '') {
    case '/asset': {
      const [start, end] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, BODY.length];
      const part = BODY.subarray(start, end);
      response.writeHead(range ? 206 : 200, {
        'content-type': 'video/mp2t',
        'content-length': part.length,
        ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${BODY.length}` } : {}),
      });
      return void response.end(part);
    }
    case '/odd-range':
      return void response.writeHead(206, { 'content-range': 'bytes 7-9/10' }).end('abc');
    case '/nonsense-range':
      return void response.writeHead(206, { 'content-range': 'bytes */10' }).end('abc');
    case '/cut':
      response.writeHead(200, { 'content-length': BODY.length });
      return void response.write(BODY.subarray(0, 100_000), () => response.destroy());
    case '/endless':
      response.writeHead(200);
      return void response.write('x');
    case '/moved':
      return void response.writeHead(302, { location: '/asset' }).end();
    case '/private':
      return void response.writeHead(200, { 'cache-control': 'max-age=5, Private' }).end('x');
    case '/no-store':
      return void response.writeHead(200, { 'cache-control': 'no-store' }).end('x');
    case '/cached':
      return void response.writeHead(200, { 'cache-control': 'public, max-age=31536000, immutable' }).end('x');
    case '/empty':
      return void response.writeHead(200, { 'content-length': 0 }).end();
    default:
      return void response.writeHead(404).end('no');
  }
}

const server = createServer(answer);
let base = '';
const origin = fetchOrigin('http://127.0.0.1/p2p-engine');

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string, more: Partial<OriginRequest> = {}): Promise<OriginResponse> =>
  origin({ url: `${base}${path}`, range: null, credentials: 'omit', signal: new AbortController().signal, ...more });

async function read(response: OriginResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('the whole of an asset comes with its type, without a Range header', async () => {
  const response = await get('/asset');
  const { status, contentType, start, shareable, url } = response;
  assert.deepEqual(
    { status, contentType, start, shareable, url },
    { status: 200, contentType: 'video/mp2t', start: 0, shareable: true, url: `${base}/asset` },
  );
  assert.equal(Buffer.compare(await read(response), BODY), 0);
  assert.equal(seen.at(-1)?.headers.range, undefined);
});

test('each request is marked, the referrer goes to the own origin alone', async (t) => {
  const { mock } = t.mock.method(globalThis, 'fetch', async () => new Response('x'));
  const marking = fetchOrigin('http://school.test/p2p-engine');
  for (const url of ['http://school.test/asset', 'http://school.test.evil/asset', 'https://cdn.test/asset'])
    await marking({ url, range: null, credentials: 'same-origin', signal: new AbortController().signal });
  const marks = mock.calls.map(({ arguments: [, init] }) => {
    const { referrer, referrerPolicy, credentials } = init as RequestInit;
    return [referrer, referrerPolicy, credentials];
  });
  assert.deepEqual(marks, [
    ['http://school.test/p2p-engine', 'same-origin', 'same-origin'],
    [undefined, 'strict-origin', 'omit'],
    [undefined, 'strict-origin', 'omit'],
  ]);
});

test('the origin is asked whether what is kept is still right where that is wanted, else as it allowed', async (t) => {
  const asked: (RequestCache | undefined)[] = [];
  t.mock.method(globalThis, 'fetch', async (_: string, init: RequestInit) => {
    asked.push(init.cache);
    return new Response('');
  });
  const { signal } = new AbortController();
  const request = { url: 'https://school.test/m.json', range: null, credentials: 'omit', signal } as const;
  await fetchOrigin('https://school.test/p2p-engine')({ ...request, revalidates: true });
  await fetchOrigin('https://school.test/p2p-engine')(request);
  assert.deepEqual(asked, ['no-cache', 'default']);
});

test('a range of bytes is asked for up to its last byte, and the answer tells where it begins', async () => {
  for (const [start, end] of [
    [0, 1],
    [65_536, 131_072],
    [199_999, 200_000],
  ] as const) {
    const response = await get('/asset', { range: { start, end } });
    assert.deepEqual([response.status, response.start], [206, start]);
    assert.equal(Buffer.compare(await read(response), BODY.subarray(start, end)), 0);
    assert.equal(seen.at(-1)?.headers.range, `bytes=${start}-${end - 1}`);
  }
});

test('an answer that begins elsewhere says so, and one that makes no sense begins nowhere', async () => {
  assert.equal((await get('/odd-range', { range: { start: 0, end: 3 } })).start, 7);
  assert.equal((await get('/nonsense-range', { range: { start: 0, end: 3 } })).start, -1);
});

test('an answer that breaks off is an error, not an end', async () => {
  await assert.rejects(read(await get('/cut')));
});

test('private and no-store answers, errors and redirects are not to be shared', async () => {
  const shareable = await Promise.all(
    ['/private', '/no-store', '/missing', '/moved', '/cached', '/empty'].map(
      async (path) => (await get(path)).shareable,
    ),
  );
  assert.deepEqual(shareable, [false, false, false, false, true, true]);
});

test('a redirect tells where it led to', async () => {
  assert.equal((await get('/moved')).url, `${base}/asset`);
});

test('an HTTP error is an answer', async () => {
  const response = await get('/missing');
  assert.equal(response.status, 404);
  assert.equal(Buffer.from(await read(response)).toString(), 'no');
});

test('an origin that is not there rejects', async () => {
  await assert.rejects(
    origin({ url: 'http://127.0.0.1:1/asset', range: null, credentials: 'omit', signal: new AbortController().signal }),
  );
});

test('an abort ends the answer', async () => {
  const controller = new AbortController();
  const response = await get('/endless', { signal: controller.signal });
  const reading = read(response);
  controller.abort();
  await assert.rejects(reading, { name: 'AbortError' });
});

test('who stops reading early ends the request', async () => {
  const response = await get('/endless');
  for await (const chunk of response.chunks) {
    assert.equal(chunk.length, 1);
    break;
  }
  const deadline = Date.now() + 5000;
  while (!closed.some((line) => line === '/endless false') && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(closed.includes('/endless false'));
});

test('an empty answer ends at once', async () => {
  assert.equal((await read(await get('/empty'))).length, 0);
});
