import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { chmod, rm } from 'node:fs/promises';
import type { IceGrant } from '../../../protocol/signaling.ts';
import { createApp } from '../../../server/http/app.ts';
import { Digests } from '../../../server/digests/digests.ts';
import { expiringIce, fixedIce } from '../../../server/ice.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { ask, folderOf, mediaIn, nameOfText, put, run, silent, vod } from '../support.ts';

test('/healthz says ok', async (t) => {
  const { url } = await run(t);
  const { status, text } = await ask(url, '/healthz');
  assert.deepEqual([status, text.trim()], [200, 'ok']);
});

test('/p2p/ice gives out the ICE servers', async (t) => {
  const iceServers = [{ urls: ['stun:stun.example'] }, { urls: ['turn:turn.example'], username: 'u', credential: 'c' }];
  const { url } = await run(t, { iceServers });
  const { headers, text } = await ask(url, '/p2p/ice');
  assert.match(headers['content-type'] ?? '', /^application\/json/);
  assert.deepEqual(JSON.parse(text), { iceServers });
});

test('/p2p/ice makes TURN credentials for each who asks, and is kept nowhere', async (t) => {
  const secret = () => 'a secret of the test';
  const { url } = await run(t, { iceServers: expiringIce([], { urls: ['turn:turn.example'], secret, ttl: 60 }) });
  const names = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const { headers, text } = await ask(url, '/p2p/ice');
    assert.equal(headers['cache-control'], 'no-store');
    const { iceServers, iceTTL } = JSON.parse(text) as IceGrant;
    assert.equal(iceTTL, 60);
    names.add(iceServers[0]?.username ?? '');
  }
  assert.equal(names.size, 3);
});

test('/p2p/ice gives nothing to those who may not have it', async (t) => {
  const iceServers = [{ urls: ['turn:turn.example'], username: 'u', credential: 'c' }];
  const mayHaveICE = async (request: IncomingMessage) => request.headers['x-token'] === 'ours';
  const { url } = await run(t, { iceServers, mayHaveICE });
  const refused = await ask(url, '/p2p/ice');
  assert.deepEqual([refused.status, refused.headers['cache-control']], [403, 'no-store']);
  assert.doesNotMatch(refused.text, /turn/);
  const { status, text } = await ask(url, '/p2p/ice', { 'x-token': 'ours' });
  assert.deepEqual([status, JSON.parse(text)], [200, { iceServers }]);
});

test('/p2p/ice is for pages that may join, and where joins need a token for none: the join brings it', async (t) => {
  const iceServers = [{ urls: ['turn:turn.example'], username: 'u', credential: 'c' }];
  const page = 'https://school.example';
  const listed = await run(t, { iceServers, admission: { origins: [page] } });
  const statusFor = async ({ url }: { url: string }, headers = {}): Promise<number> =>
    (await ask(url, '/p2p/ice', headers)).status;
  assert.equal(await statusFor(listed, { origin: page }), 200);
  assert.equal(await statusFor(listed, { origin: 'https://other.example' }), 403);
  assert.equal(await statusFor(listed), 403);
  const guarded = await run(t, { iceServers, admission: { tokens: { secret: new Uint8Array(32) } } });
  assert.equal(await statusFor(guarded, { origin: page }), 403);
});

test('the manifest has an ETag, is asked for each time, and may be read from anywhere', async (t) => {
  const media = await folderOf(t, { 'a.png': 'a' });
  const { url } = await run(t, { media });
  const first = await ask(url, '/p2p-manifest.json', { origin: 'https://b.example' });
  assert.equal(first.headers['cache-control'], 'no-cache');
  assert.equal(first.headers['access-control-allow-origin'], '*');
  assert.deepEqual(Object.keys(mediaIn(first.text)), ['/media/a.png']);
  const etag = first.headers.etag ?? '';
  assert.equal((await ask(url, '/p2p-manifest.json', { 'if-none-match': etag })).status, 304);
  await put(media, { 'a.png': 'A' });
  assert.equal((await ask(url, '/p2p-manifest.json', { 'if-none-match': etag })).status, 200);
});

test('a manifest and a playlist that fill more than a packet are compressed for who takes that, each form with its ETag', async (t) => {
  const segments = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`s${index}.ts`, `segment ${index}`]));
  const { url } = await run(t, { media: await folderOf(t, { ...segments, 'v.m3u8': vod(60) }) });
  for (const path of ['/p2p-manifest.json', '/media/v.m3u8']) {
    const plain = await ask(url, path);
    const small = await ask(url, path, { 'accept-encoding': 'br;q=0.5, gzip' });
    assert.deepEqual([plain.headers['content-encoding'], small.headers['content-encoding']], [undefined, 'gzip'], path);
    assert.equal(gunzipSync(small.body).toString(), plain.text);
    assert.ok(small.body.length < plain.body.length);
    assert.notEqual(small.headers.etag, plain.headers.etag);
    for (const { headers } of [plain, small]) assert.match(headers['vary'] ?? '', /accept-encoding/i);
    const again = await ask(url, path, { 'accept-encoding': 'gzip', 'if-none-match': small.headers.etag ?? '' });
    assert.deepEqual([again.status, again.body.length], [304, 0]);
  }
});

test('thirty pages that ask for the manifest together get the same one, and files are hashed once', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}.png`, `image ${index}`]));
  const { url } = await run(t, { media: await folderOf(t, files) });
  const texts = await Promise.all(Array.from({ length: 30 }, async () => (await ask(url, '/p2p-manifest.json')).text));
  assert.equal(new Set(texts).size, 1);
  assert.equal(Object.keys(mediaIn(texts[0] ?? '')).length, 40);
});

test('leaves are 32 raw bytes a block, immutable', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'a.png': 'hello' }) });
  await ask(url, '/p2p-manifest.json');
  const { digest, leaves } = await nameOfText('hello');
  const { status, body, headers } = await ask(url, `/p2p/leaves/${digest}`, { origin: 'https://b.example' });
  assert.equal(status, 200);
  assert.deepEqual(body, Buffer.from(leaves));
  assert.equal(headers['content-type'], 'application/octet-stream');
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal((await ask(url, `/p2p/leaves/${digest}`, { 'if-none-match': headers.etag ?? '' })).status, 304);
});

test('an unknown digest is 404 and a malformed one 400, each with the reason', async (t) => {
  const { url } = await run(t);
  const unknown = await ask(url, `/p2p/leaves/${'0'.repeat(64)}`);
  assert.deepEqual([unknown.status, unknown.headers['cache-control']], [404, 'no-store']);
  assert.match(unknown.text, /manifest/);
  for (const digest of ['', 'x', '0'.repeat(63), 'F'.repeat(64), `${'0'.repeat(64)}/`, '../../etc/passwd']) {
    const { status, text } = await ask(url, `/p2p/leaves/${digest}`);
    assert.equal(status, 400, digest);
    assert.match(text, /64 lower-case hex digits/);
  }
});

const kitFiles = {
  'p2p-img.js': 'plain img',
  'p2p-sw.js': 'worker',
  'p2p-sw.js.br': 'worker br',
  'chunks/core-abc.js': 'plain core',
  'chunks/core-abc.js.br': 'br core',
  'chunks/core-abc.js.gz': 'gz core',
  '.hidden': 'x',
};

const runKit = async (t: TestContext) =>
  run(t, {
    kit: await folderOf(t, kitFiles),
    demo: await folderOf(t, { 'index.html': '<h1>demo', 'demo.js': 'x', '.env': 'x' }),
  });

test('built files are sent as the build compressed them, by what the client takes', async (t) => {
  const { url } = await runKit(t);
  for (const [accept, encoding, text] of [
    ['br, gzip', 'br', 'br core'],
    ['gzip', 'gzip', 'gz core'],
    ['gzip;q=1, br;q=0', 'gzip', 'gz core'],
    ['identity', undefined, 'plain core'],
    ['', undefined, 'plain core'],
  ] as const) {
    const answer = await ask(url, '/p2p-elements/chunks/core-abc.js', { 'accept-encoding': accept });
    assert.deepEqual([answer.headers['content-encoding'], answer.text], [encoding, text], accept);
    assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.match(answer.headers.vary ?? '', /accept-encoding/i);
  }
});

test('forms of a file that differ in encoding differ in ETag', async (t) => {
  const { url } = await runKit(t);
  const etag = async (accept: string) =>
    (await ask(url, '/p2p-elements/chunks/core-abc.js', { 'accept-encoding': accept })).headers.etag;
  assert.equal(new Set([await etag('br'), await etag('gzip'), await etag('identity')]).size, 3);
});

test('chunks are immutable, entries are asked for anew', async (t) => {
  const { url } = await runKit(t);
  const cache = async (path: string) => (await ask(url, path)).headers['cache-control'];
  assert.equal(await cache('/p2p-elements/chunks/core-abc.js'), 'public, max-age=31536000, immutable');
  assert.equal(await cache('/p2p-elements/p2p-img.js'), 'no-cache');
  const etag = (await ask(url, '/p2p-elements/p2p-img.js')).headers.etag ?? '';
  assert.equal((await ask(url, '/p2p-elements/p2p-img.js', { 'if-none-match': etag })).status, 304);
});

test('a script of the kit names its source map, which lies in the folder of the kit', async (t) => {
  const { url } = await runKit(t);
  const mapOf = async (path: string) => (await ask(url, path)).headers['sourcemap'];
  assert.equal(await mapOf('/p2p-elements/chunks/core-abc.js'), '/p2p-elements/chunks/core-abc.js.map');
  assert.equal(await mapOf('/p2p-sw.js'), '/p2p-elements/p2p-sw.js.map');
});

test('the service worker is at the root and may control all of the web origin', async (t) => {
  const { url } = await runKit(t);
  const { status, headers, text } = await ask(url, '/p2p-sw.js', { 'accept-encoding': 'br' });
  assert.deepEqual([status, text], [200, 'worker br']);
  assert.equal(headers['service-worker-allowed'], '/');
  assert.equal(headers['cache-control'], 'no-cache');
  assert.match(headers['content-type'] ?? '', /^text\/javascript/);
});

test('the demo is at the root; hidden files and ways out are not', async (t) => {
  const { url } = await runKit(t);
  const page = await ask(url, '/');
  assert.deepEqual(
    [page.text, page.headers['content-type'], page.headers['cache-control']],
    ['<h1>demo', 'text/html; charset=utf-8', 'no-cache'],
  );
  assert.equal((await ask(url, '/demo.js?v=1')).text, 'x');
  for (const path of [
    '/.env',
    '/../package.json',
    '/p2p-elements/.hidden',
    '/p2p-elements/',
    '/p2p-elements/../../package.json',
    '/p2p-elements/%2e%2e/x',
    '/nothing',
    '//etc/passwd',
  ]) {
    assert.ok([400, 403, 404].includes((await ask(url, path)).status), path);
  }
});

test('without built files the server still answers, and 404 for them', async (t) => {
  const { url } = await run(t, { kit: '/nowhere' });
  assert.equal((await ask(url, '/p2p-elements/p2p-img.js')).status, 404);
  assert.equal((await ask(url, '/p2p-sw.js')).status, 404);
  assert.equal((await ask(url, '/healthz')).status, 200);
});

test('an error inside is a 500 that tells nothing but that, and the server goes on', async (t) => {
  const media = await folderOf(t, { 'a.png': 'x' });
  const digests = new Digests();
  digests.leaves = () => Promise.reject(new Error(`secret ${media}`));
  const app = createApp({
    media,
    kit: media,
    demo: media,
    cors: '*',
    ice: fixedIce([]),
    mayHaveICE: () => true,
    digests,
    redis: () => undefined,
    addressOf: () => '127.0.0.1',
    log: silent,
    now: Date.now,
  });
  const handle = app.callback();
  const server = createServer((...args) => void handle(...args)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { status, text, headers } = await ask(url, `/p2p/leaves/${'0'.repeat(64)}`);
  assert.equal(status, 500);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.ok(!text.includes('secret') && !text.includes('at '), text);
  assert.equal((await ask(url, '/healthz')).status, 200);
});

test('a media folder that goes away while the server runs is no crash', async (t) => {
  const media = await folderOf(t, { 'a.png': 'x' });
  const { url } = await run(t, { media });
  await chmod(media, 0o700);
  await rm(media, { recursive: true });
  assert.equal((await ask(url, '/media/a.png')).status, 404);
  assert.deepEqual(mediaIn((await ask(url, '/p2p-manifest.json')).text), {});
});
