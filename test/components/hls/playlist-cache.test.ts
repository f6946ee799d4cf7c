import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStable, PlaylistCache, playlistCacheOf } from '../../../components/hls/playlist-cache.ts';
import type { LoadedAsset, LoadOptions, MeshFace } from '../../../mesh/page/types.ts';

const VOD = '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n';
const LIVE = '#EXTM3U\n#EXTINF:2,\n0.ts\n';
const MULTIVARIANT = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n';
const IDLE = new AbortController().signal;

/** A mesh that answers every load with `text`, when `answer` is called or at once. */
function meshOf(text: string, { wait = false } = {}) {
  const asked: { url: string; options: LoadOptions }[] = [];
  let answer = (): void => undefined;
  const gate = wait ? new Promise<void>((resolve) => (answer = resolve)) : Promise.resolve();
  const load = async (url: string, options: LoadOptions): Promise<LoadedAsset> => {
    asked.push({ url, options });
    await Promise.race([
      gate,
      new Promise<never>((_, reject) =>
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)),
      ),
    ]);
    return {
      body: new TextEncoder().encode(text).buffer,
      contentType: '',
      source: 'origin',
      shared: false,
      url: `${url}?after=redirect`,
    };
  };
  return { mesh: { load } as unknown as MeshFace, asked, answer: () => answer() };
}

test('a playlist that ends, and a multivariant one, stay as they are; a live one does not', () => {
  assert.equal(isStable(VOD), true);
  assert.equal(isStable(MULTIVARIANT), true);
  assert.equal(isStable(LIVE), false);
  assert.equal(isStable('not a playlist'), false);
});

for (const [kind, text] of Object.entries({ VOD, MULTIVARIANT })) {
  test(`a ${kind} playlist is asked for once`, async () => {
    const { mesh, asked } = meshOf(text);
    const cache = new PlaylistCache(mesh);
    const first = await cache.load('https://a/x.m3u8', 's', IDLE);
    assert.equal(await cache.load('https://a/x.m3u8', 's', IDLE), first);
    assert.deepEqual(first, { text, url: 'https://a/x.m3u8?after=redirect' });
    assert.equal(asked.length, 1);
  });
}

test('a live playlist is asked for each time', async () => {
  const { mesh, asked } = meshOf(LIVE);
  const cache = new PlaylistCache(mesh);
  await cache.load('https://a/x.m3u8', 's', IDLE);
  await cache.load('https://a/x.m3u8', 's', IDLE);
  assert.equal(asked.length, 2);
});

test('the swarm is told to the mesh', async () => {
  const { mesh, asked } = meshOf(VOD);
  await new PlaylistCache(mesh).load('https://a/x.m3u8', 'lesson', IDLE);
  await new PlaylistCache(mesh).load('https://a/x.m3u8', null, IDLE);
  assert.deepEqual(
    asked.map(({ options }) => options.swarm),
    ['lesson', undefined],
  );
});

test('those who ask at the same time share one request', async () => {
  const { mesh, asked, answer } = meshOf(LIVE, { wait: true });
  const cache = new PlaylistCache(mesh);
  const both = Promise.all([cache.load('https://a/x.m3u8', null, IDLE), cache.load('https://a/x.m3u8', null, IDLE)]);
  answer();
  const [one, other] = await both;
  assert.equal(one, other);
  assert.equal(asked.length, 1);
});

test('one who aborts does not take the request from the other', async () => {
  const { mesh, asked, answer } = meshOf(VOD, { wait: true });
  const cache = new PlaylistCache(mesh);
  const impatient = new AbortController();
  const first = cache.load('https://a/x.m3u8', null, impatient.signal);
  const second = cache.load('https://a/x.m3u8', null, IDLE);
  impatient.abort();
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(asked[0]?.options.signal?.aborted, false);
  answer();
  assert.equal((await second).text, VOD);
});

test('when the last one aborts, the request ends, and the next one asks anew', async () => {
  const { mesh, asked } = meshOf(VOD, { wait: true });
  const cache = new PlaylistCache(mesh);
  const scope = new AbortController();
  const load = cache.load('https://a/x.m3u8', null, scope.signal);
  scope.abort();
  await assert.rejects(load, { name: 'AbortError' });
  assert.equal(asked[0]?.options.signal?.aborted, true);
  void cache.load('https://a/x.m3u8', null, IDLE);
  assert.equal(asked.length, 2);
});

test('a failure is not kept', async () => {
  let fails = true;
  const good = meshOf(VOD);
  const load: MeshFace['load'] = (url, options) =>
    fails ? Promise.reject(new Error('gone')) : good.mesh.load(url, options);
  const cache = new PlaylistCache({ load } as unknown as MeshFace);
  await assert.rejects(cache.load('https://a/x.m3u8', null, IDLE), /gone/);
  fails = false;
  assert.equal((await cache.load('https://a/x.m3u8', null, IDLE)).text, VOD);
});

test('all elements of a page have one cache', () => {
  const { mesh } = meshOf(VOD);
  assert.equal(playlistCacheOf(mesh), playlistCacheOf(mesh));
  assert.notEqual(playlistCacheOf(mesh), playlistCacheOf(meshOf(VOD).mesh));
});
