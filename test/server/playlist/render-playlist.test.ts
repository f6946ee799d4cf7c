import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AssetName } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { Digests } from '../../../server/digests/digests.ts';
import { serveManifest } from '../../../server/digests/serve-manifest.ts';
import { LIVE_PLAYLIST_WAIT_MS, VOD_PLAYLIST_WAIT_MS } from '../../../server/limits.ts';
import { renderPlaylist, sharedPlaylist } from '../../../server/playlist/render-playlist.ts';
import { folderOf, nameOfText, put, until, vod } from '../support.ts';

/** Digests that are never ready for files whose path ends like this. */
function stuckOn(t: TestContext, suffix: string): Digests & { asked: number } {
  const digests = Object.assign(new Digests(() => Date.now() + 60_000), { asked: 0 });
  const nameOf = digests.nameOf.bind(digests);
  digests.nameOf = (path, range, request): Promise<AssetName | undefined> => {
    digests.asked++;
    return path.endsWith(suffix) ? new Promise(() => undefined) : nameOf(path, range, request);
  };
  t.after(() => digests.close());
  return digests;
}

const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

test('a live playlist waits 1 s for a digest and then goes without that tag', async (t) => {
  const live = '#EXTM3U\n#EXTINF:4,\ns0.ts\n#EXTINF:4,\ns1.ts\n';
  const folder = await folderOf(t, { 'i.m3u8': live, 's0.ts': 'zero', 's1.ts': 'one' });
  const startedAt = performance.now();
  const rendered = await renderPlaylist(folder, 'i.m3u8', stuckOn(t, 's1.ts'));
  assert.ok(performance.now() - startedAt > LIVE_PLAYLIST_WAIT_MS - 100);
  assert.equal(rendered?.complete, false);
  assert.equal(text(rendered.body), live.replace('#EXTINF', `${formatDigestTag(await nameOfText('zero'))}\n#EXTINF`));
});

test('a VOD playlist waits longer than the manifest, which does not list it while a tag is missing', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(2), 's0.ts': 'zero', 's1.ts': 'one', 'a.png': 'a' });
  const { assets } = await serveManifest(folder, stuckOn(t, 's1.ts'), { waitMs: 100 });
  assert.deepEqual(Object.keys(assets), ['/media/a.png']);
});

test('a VOD playlist whose digests do not come in 8 s is served without them, and says that it is not complete', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'zero' });
  const digests = stuckOn(t, 's0.ts');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const rendering = renderPlaylist(folder, 'i.m3u8', digests);
  const tick = setInterval(() => digests.asked > 0 && t.mock.timers.tick(VOD_PLAYLIST_WAIT_MS), 5);
  const rendered = await rendering.finally(() => clearInterval(tick));
  assert.deepEqual([rendered?.complete, text(rendered?.body)], [false, vod(1)]);
});

test('a playlist is made once for all who ask meanwhile, and anew when it has changed', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(1), 's0.ts': 'zero', 's1.ts': 'one' });
  const digests = new Digests(() => Date.now() + 60_000);
  t.after(() => digests.close());
  const nameOf = digests.nameOf.bind(digests);
  const asked: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  digests.nameOf = async (path, ...more) => {
    asked.push(basename(path));
    await gate;
    return nameOf(path, ...more);
  };
  const ask = () => sharedPlaylist(folder, 'i.m3u8', digests);
  const before = Array.from({ length: 20 }, ask);
  await until('the first is under way', () => asked.length > 0);
  await put(folder, { 'i.m3u8': vod(2) });
  const after = ask();
  await until('so is the second', () => asked.length > 1);
  open();
  const tags = async (rendering: ReturnType<typeof ask>): Promise<number> =>
    text((await rendering)?.body).match(/#EXT-X-P2P-DIGEST:/g)?.length ?? 0;
  assert.deepEqual(await Promise.all(before.map(tags)), Array<number>(20).fill(1));
  assert.equal(await tags(after), 2);
  assert.deepEqual(asked, ['s0.ts', 's0.ts', 's1.ts']);
  await ask();
  assert.equal(asked.length, 5, 'it is kept for nobody who comes later');
});

test('a multivariant playlist is served as it stands, at once', async (t) => {
  const multivariant = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n';
  const folder = await folderOf(t, { 'm.m3u8': multivariant });
  const rendered = await renderPlaylist(folder, 'm.m3u8', stuckOn(t, ''));
  assert.deepEqual([rendered?.complete, text(rendered?.body)], [true, multivariant]);
});

test('segments of a playlist are hashed together, before what nobody waits for', async (t) => {
  const count = 30;
  const segments = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`s${index}.ts`, `segment ${index}`]),
  );
  const folder = await folderOf(t, { 'i.m3u8': vod(count), ...segments });
  const digests = stuckOn(t, 'none');
  const rendered = await renderPlaylist(folder, 'i.m3u8', digests);
  assert.equal(rendered?.complete, true);
  assert.equal(text(rendered.body).match(/#EXT-X-P2P-DIGEST:/g)?.length, count);
  await until('each was hashed once', () => digests.hashed === count);
});
