import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { leavesMatch } from '../../../protocol/digest.ts';
import { isWholeAsset, parseManifest } from '../../../protocol/manifest.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { sha256 } from '../../../server/sha256.ts';
import { ask, folderOf, mediaIn, nameOfBytes, nameOfText, put, run, until, vod } from '../support.ts';

const tagOf = async (text: string): Promise<string> => `${formatDigestTag(await nameOfText(text))}\n`;

test('a VOD playlist has the digest of each segment, also when asked before anything was hashed', async (t) => {
  const { url } = await run(t, {
    media: await folderOf(t, { 'v/i.m3u8': vod(2), 'v/s0.ts': 'zero', 'v/s1.ts': 'one' }),
  });
  const tags = [await tagOf('zero'), await tagOf('one')];
  const { status, headers, text } = await ask(url, '/media/v/i.m3u8');
  assert.deepEqual([status, text], [200, vod(2, (index) => tags[index] ?? '')]);
  assert.equal(headers['content-type'], 'application/vnd.apple.mpegurl');
  assert.equal(headers['cache-control'], 'no-cache');
  assert.equal(headers['access-control-allow-origin'], '*');
});

test('a playlist that has not changed is answered with 304; a changed segment changes it', async (t) => {
  const media = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'zero' });
  const { url } = await run(t, { media });
  const etag = (await ask(url, '/media/i.m3u8')).headers.etag ?? '';
  assert.equal((await ask(url, '/media/i.m3u8', { 'if-none-match': etag })).status, 304);
  await put(media, { 's0.ts': 'ZERO' });
  const changed = await ask(url, '/media/i.m3u8', { 'if-none-match': etag });
  assert.equal(changed.status, 200);
  assert.ok(changed.text.includes(await tagOf('ZERO')));
});

test('the bytes of a VOD and of its multivariant playlist are the ones whose digest is in the manifest', async (t) => {
  const media = await folderOf(t, {
    'm.m3u8': '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n',
    'v/i.m3u8': vod(2),
    'v/s0.ts': 'zero',
    'v/s1.ts': 'one',
  });
  const { url } = await run(t, { media });
  const { text: manifest } = await ask(url, '/p2p-manifest.json');
  const { leaves } = parseManifest(JSON.parse(manifest));
  const assets = mediaIn(manifest);
  assert.deepEqual(Object.keys(assets), ['/media/m.m3u8', '/media/v/i.m3u8']);
  for (const [path, entry] of Object.entries(assets)) {
    const { body } = await ask(url, path);
    assert.ok(isWholeAsset(entry));
    assert.equal((await nameOfBytes(Uint8Array.from(body))).digest, entry.digest);
    assert.ok(await leavesMatch(entry, (await ask(url, leaves + entry.digest)).body, sha256));
  }
});

test('segments elsewhere keep the tags they have, missing ones and gaps get none, byte ranges and encrypted ones do', async (t) => {
  const old = await tagOf('old');
  const text = `#EXTM3U\n${old}#EXTINF:4,\nhttps://cdn.example/s.ts\n${old}#EXTINF:4,\nmissing.ts\n#EXTINF:4,\n#EXT-X-BYTERANGE:2@1\ns0.ts\n#EXTINF:4,\n#EXT-X-GAP\ns0.ts\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:4,\ns0.ts\n#EXT-X-ENDLIST\n`;
  const { url } = await run(t, { media: await folderOf(t, { 'i.m3u8': text, 's0.ts': 'zero' }) });
  const served = (await ask(url, '/media/i.m3u8')).text;
  const expected = text
    .replace(`${old}#EXTINF:4,\nmissing.ts`, '#EXTINF:4,\nmissing.ts')
    .replace('#EXTINF:4,\n#EXT-X-BYTERANGE', `${await tagOf('er')}#EXTINF:4,\n#EXT-X-BYTERANGE`)
    .replace('URI="k"\n', `URI="k"\n${await tagOf('zero')}`);
  assert.equal(served, expected);
});

test('a live playlist that an encoder replaces every moment always has the digests of its segments', async (t) => {
  const media = await folderOf(t);
  const { url } = await run(t, { media });
  for (let number = 0; number < 12; number++) {
    await writeFile(join(media, `s${number}.ts`), `segment ${number}`);
    const listed = [number - 2, number - 1, number].filter((one) => one >= 0);
    await writeFile(
      join(media, 'i.m3u8.tmp'),
      `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${listed[0]}\n${listed.map((one) => `#EXTINF:2,\ns${one}.ts\n`).join('')}`,
    );
    await rename(join(media, 'i.m3u8.tmp'), join(media, 'i.m3u8'));
    if (number > 2) await rm(join(media, `s${number - 3}.ts`));
    const { text } = await ask(url, '/media/i.m3u8');
    for (const one of listed)
      assert.ok(text.includes(`${await tagOf(`segment ${one}`)}#EXTINF:2,\ns${one}.ts`), `${one} of ${number}`);
  }
  assert.deepEqual(mediaIn((await ask(url, '/p2p-manifest.json')).text), {});
});

test('what is named like a playlist and is none is served as it is, never cached unasked', async (t) => {
  const { url } = await run(t, { media: await folderOf(t, { 'x.m3u8': 'no playlist' }) });
  const { text, headers, status } = await ask(url, '/media/x.m3u8');
  assert.deepEqual([status, text, headers['cache-control']], [200, 'no playlist', 'no-cache']);
  assert.equal((await ask(url, '/media/missing.m3u8')).status, 404);
});

test('the live stream loops a VOD of the folder, with absolute segments and their digests', async (t) => {
  let now = Date.UTC(2026, 0, 1);
  const media = await folderOf(t, {
    'm.m3u8': '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n',
    'v/i.m3u8': vod(2),
    'v/s0.ts': 'zero',
    'v/s1.ts': 'one',
    'a/i.m3u8': '#EXTM3U\n#EXT-X-ENDLIST\n',
  });
  const { url } = await run(t, { media, now: () => now });
  const first = await ask(url, '/live/index.m3u8');
  assert.equal(first.status, 200);
  assert.equal(first.headers['cache-control'], 'no-cache');
  assert.equal(first.text.match(/\/media\/v\/s0\.ts/g)?.length, 3);
  assert.ok(first.text.includes(`${await tagOf('zero')}#EXTINF:4.00000,\n/media/v/s0.ts\n`));
  assert.ok(!first.text.includes('ENDLIST'));
  now += 4000;
  assert.match((await ask(url, '/live/index.m3u8')).text, /#EXT-X-MEDIA-SEQUENCE:1\n/);
});

test('a folder with nothing to loop has no live stream, until there is something', async (t) => {
  const media = await folderOf(t, {
    'i.m3u8': vod(1).replace('#EXTINF', '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF'),
    's0.ts': 'x',
  });
  const { url } = await run(t, { media });
  const { status, text } = await ask(url, '/live/index.m3u8');
  assert.equal(status, 404);
  assert.match(text, /VOD playlist/);
  await put(media, { 'open.m3u8': vod(1) });
  await until('there is a live stream', async () => (await ask(url, '/live/index.m3u8')).status === 200);
});
