import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseDigestList, type DigestList } from '../../../protocol/digest-list.ts';
import { ask, bytes, nameOfBytes, run, until, vod } from '../support.ts';
import { origin, type Origin } from './support.ts';

const RANGES = `#EXTM3U
#EXT-X-MAP:URI="all.mp4",BYTERANGE="100@0"
#EXT-X-BYTERANGE:70000@100
#EXTINF:4,
all.mp4
#EXT-X-ENDLIST
`;

const pathOf = (url: string): string => `/p2p/digests?playlist=${encodeURIComponent(url)}`;

async function setting(t: TestContext, cors?: readonly string[]) {
  const made = await origin(t, { '/vod.m3u8': vod(2), '/s0.ts': bytes(10), '/s1.ts': bytes(70_000) });
  const { url } = await run(t, {
    digestService: { origins: [made.url], allowsPrivate: true },
    ...(cors && { cors }),
  });
  return { made, url };
}

const complete = (url: string, path: string): Promise<DigestList> =>
  until('a complete list', async () => {
    const list = parseDigestList(JSON.parse((await ask(url, path)).text));
    return list.complete && list;
  });

test('one request for all that a playlist lists, with its block hashes', async (t) => {
  const { made, url } = await setting(t);
  const { assets, leaves } = await complete(url, pathOf(`${made.url}/vod.m3u8`));
  const { digest, size, leaves: hashes } = await nameOfBytes(bytes(70_000));
  assert.equal(assets.length, 2);
  assert.deepEqual(assets[1], { url: `${made.url}/s1.ts`, digest, size });
  const answer = await ask(url, leaves + digest);
  assert.deepEqual(answer.body, Buffer.from(hashes));
  assert.match(answer.headers['cache-control'] ?? '', /immutable/);
});

test('a byte range says where it begins', async (t) => {
  const { made, url } = await setting(t);
  const body = bytes(70_100);
  made.files.set('/ranges.m3u8', RANGES).set('/all.mp4', body);
  const { assets } = await complete(url, pathOf(`${made.url}/ranges.m3u8`));
  const names = await Promise.all([body.slice(0, 100), body.slice(100)].map(nameOfBytes));
  assert.deepEqual(
    assets,
    names.map(({ digest, size }, index) => ({ url: `${made.url}/all.mp4`, start: index * 100, digest, size })),
  );
});

test('caches may hold the answer, and clients ask whether it is still the same', async (t) => {
  const { made, url } = await setting(t);
  const path = pathOf(`${made.url}/vod.m3u8`);
  await complete(url, path);
  const { headers } = await ask(url, path, { 'accept-encoding': 'gzip' });
  assert.equal(headers['cache-control'], 'public, max-age=60');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  const again = await ask(url, path, { 'accept-encoding': 'gzip', 'if-none-match': headers.etag ?? '' });
  assert.equal(again.status, 304);
});

test('what is not complete is kept for a second only', async (t) => {
  const { made, url } = await setting(t);
  made.files.set('/s1.ts', () => undefined);
  const answer = await ask(url, pathOf(`${made.url}/vod.m3u8`));
  assert.equal(parseDigestList(JSON.parse(answer.text)).assets.length, 1);
  assert.equal(answer.headers['cache-control'], 'public, max-age=1');
});

test('other web origins read it by the same rule as all else', async (t) => {
  const { made, url } = await setting(t, ['https://page.example']);
  const path = pathOf(`${made.url}/vod.m3u8`);
  for (const [origin, allowed] of [
    ['https://page.example', 'https://page.example'],
    ['https://evil.example', undefined],
  ] as const)
    assert.equal((await ask(url, path, { origin })).headers['access-control-allow-origin'], allowed);
});

test('each refusal says what was expected, and is kept by nobody', async (t) => {
  const { made, url } = await setting(t);
  const expected: [string, number, RegExp][] = [
    ['/p2p/digests', 400, /Expected \/p2p\/digests\?playlist=/],
    ['/p2p/digests?playlist=', 400, /one absolute URL/],
    ['/p2p/digests?playlist=vod.m3u8', 400, /one absolute URL/],
    ['/p2p/digests?playlist=http://a/&playlist=http://b/', 400, /one absolute URL/],
    [pathOf('https://elsewhere.example/vod.m3u8'), 403, /--digest-origins/],
    [pathOf('file:///etc/passwd'), 403, /--digest-origins/],
    [pathOf(`${made.url}/missing.m3u8`), 502, /can not be read/],
  ];
  for (const [path, status, text] of expected) {
    const answer = await ask(url, path);
    assert.equal(answer.status, status, path);
    assert.match(answer.text, text);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.ok(!answer.text.includes('127.0.0.1'), answer.text);
  }
  for (let i = 0; i < 60; i++) await ask(url, pathOf(`${made.url}/made-up/${i}.m3u8`));
  const busy = await ask(url, pathOf(`${made.url}/made-up/x.m3u8`));
  assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '2']);
});

test('without origins there is no such service, and it says so', async (t) => {
  const { url } = await run(t);
  const answer = await ask(url, pathOf('https://cdn.example/vod.m3u8'));
  assert.equal(answer.status, 404);
  assert.match(answer.text, /--digest-origins/);
});

test('a client that goes away while it waits harms nobody', async (t) => {
  const { made, url } = await setting(t);
  made.files.set('/slow.m3u8', vod(1)).set('/s0.ts', () => undefined);
  const controller = new AbortController();
  const asking = fetch(url + pathOf(`${made.url}/slow.m3u8`), { signal: controller.signal });
  await until('the request', () => asked(made, '/s0.ts'));
  controller.abort();
  await assert.rejects(asking);
  assert.equal((await ask(url, '/healthz')).status, 200);
});

const asked = ({ asked: all }: Origin, path: string): boolean => all.includes(path);
