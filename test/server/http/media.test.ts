import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, bytes, folderOf, put, run } from '../support.ts';

test('a media file comes with type, length, validators, CORS and an hour of caching', async (t) => {
  const media = await folderOf(t, { 'a b.ts': 'hello' });
  const { url } = await run(t, { media });
  const { status, headers, text } = await ask(url, '/media/a%20b.ts', { origin: 'https://elsewhere.example' });
  assert.deepEqual([status, text], [200, 'hello']);
  assert.equal(headers['content-type'], 'video/mp2t');
  assert.equal(headers['content-length'], '5');
  assert.equal(headers['cache-control'], 'public, max-age=3600');
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['access-control-expose-headers'], 'content-length,content-range,etag');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(headers.etag ?? '', /^"[^"]+"$/, 'a strong ETag');
  assert.ok(headers['last-modified']);
});

test('ranges: first, last, open-ended and over-long ones', async (t) => {
  const body = bytes(1000);
  const { url } = await run(t, { media: await folderOf(t, { 'a.mp4': body }) });
  for (const [range, from, to] of [
    ['0-0', 0, 1],
    ['999-999', 999, 1000],
    ['990-', 990, 1000],
    ['-10', 990, 1000],
    ['500-5000', 500, 1000],
  ] as const) {
    const answer = await ask(url, '/media/a.mp4', { range: `bytes=${range}` });
    assert.equal(answer.status, 206, range);
    assert.deepEqual(answer.body, Buffer.from(body.subarray(from, to)), range);
    assert.equal(answer.headers['content-range'], `bytes ${from}-${to - 1}/1000`);
  }
});

test('a range behind the end is refused with the size', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'a.mp4': 'hello' }) });
  const { status, headers } = await ask(url, '/media/a.mp4', { range: 'bytes=5-' });
  assert.deepEqual([status, headers['content-range']], [416, 'bytes */5']);
  assert.equal(headers['access-control-allow-origin'], '*');
});

test('conditional requests: 304 for the same ETag, the whole file for an outdated If-Range', async (t) => {
  const media = await folderOf(t, { 'a.mp4': 'hello' });
  const { url } = await run(t, { media });
  const etag = (await ask(url, '/media/a.mp4')).headers.etag ?? '';
  assert.equal((await ask(url, '/media/a.mp4', { 'if-none-match': etag })).status, 304);
  assert.equal((await ask(url, '/media/a.mp4', { range: 'bytes=0-1', 'if-range': etag })).status, 206);
  await put(media, { 'a.mp4': 'other' });
  const changed = await ask(url, '/media/a.mp4', { range: 'bytes=0-1', 'if-range': etag });
  assert.deepEqual([changed.status, changed.text], [200, 'other']);
});

test('HEAD has the headers of GET and no body', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'a.mp4': 'hello', 'i.m3u8': '#EXTM3U\n' }) });
  for (const path of ['/media/a.mp4', '/media/i.m3u8', '/p2p-manifest.json', '/healthz']) {
    const [head, get] = [await ask(url, path, {}, 'HEAD'), await ask(url, path)];
    assert.equal(head.status, 200, path);
    assert.equal(head.body.length, 0);
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
      assert.equal(head.headers[name], get.headers[name], `${path} ${name}`);
  }
});

test('what is outside of the folder, hidden, a folder or missing is refused without a word about the disk', async (t) => {
  const media = await folderOf(t, { 'a.mp4': 'hello', '.secret': 'x', '.git/config': 'x', 'sub/b.mp4': 'x' });
  const { url } = await run(t, { media });
  const paths = [
    '../package.json',
    '..%2f..%2fetc/passwd',
    '%2e%2e/%2e%2e/etc/passwd',
    '.secret',
    '.git/config',
    'sub',
    'sub/',
    '',
    'missing',
    '%00',
    '%ff',
    '..\\x',
    '../secret.m3u8',
    '%2e%2e%2fx.m3u8',
  ];
  for (const path of paths) {
    const { status, text } = await ask(url, `/media/${path}`);
    assert.ok([400, 403, 404].includes(status), `${path}: ${status}`);
    assert.ok(!text.includes(media) && !text.includes('Error') && !text.includes('node_modules'), text);
  }
});

test('a link in the folder is followed: its owner put it there', async (t) => {
  const media = await folderOf(t);
  await symlink(join(await folderOf(t, { 'b.mp4': 'hello' }), 'b.mp4'), join(media, 'link.mp4'));
  const { url } = await run(t, { media });
  assert.equal((await ask(url, '/media/link.mp4')).text, 'hello');
});

test('only the named web origins may read when there is a list', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'a.mp4': 'x' }), cors: ['https://a.example'] });
  const allowed = async (origin: string) =>
    (await ask(url, '/media/a.mp4', { origin })).headers['access-control-allow-origin'];
  assert.equal(await allowed('https://a.example'), 'https://a.example');
  assert.equal(await allowed('https://b.example'), undefined);
  assert.match((await ask(url, '/media/a.mp4')).headers.vary ?? '', /origin/i);
});

test('what anybody may read is the same for all, so that a cache needs it once', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'a.mp4': 'x' }) });
  for (const headers of [{}, { origin: 'https://a.example' }]) {
    const { headers: answer } = await ask(url, '/media/a.mp4', headers);
    assert.deepEqual([answer['access-control-allow-origin'], answer['vary']], ['*', undefined]);
  }
});

test('a preflight for a range is answered', async (t) => {
  const { url } = await run(t);
  const headers = {
    origin: 'https://a.example',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'range',
  };
  const answer = await ask(url, '/media/a.mp4', headers, 'OPTIONS');
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-headers'], 'range');
  assert.equal(answer.headers['access-control-allow-methods'], 'GET,HEAD');
});

test('other methods are refused with the ones that work', async (t) => {
  const { url } = await run(t);
  const { status, headers } = await ask(url, '/media/a.mp4', {}, 'POST');
  assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
});
