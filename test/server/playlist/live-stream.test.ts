import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { Digests } from '../../../server/digests/digests.ts';
import { liveSource, LiveStream } from '../../../server/playlist/live-stream.ts';
import { LIVE_SEARCH_AGAIN_MS } from '../../../server/limits.ts';
import { parsePlaylist, type Playlist } from '../../../server/playlist/playlist.ts';
import { folderOf, nameOfText, put, vod } from '../support.ts';

const source = (playlists: Record<string, string>): string | undefined =>
  liveSource(
    new Map(
      Object.entries(playlists).map(([path, text]) => [path, { text, playlist: parsePlaylist(text) as Playlist }]),
    ),
  );

const multivariant = (...uris: string[]): string =>
  `#EXTM3U\n${uris.map((uri) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${uri}\n`).join('')}`;

test('the first rendition of a multivariant playlist is looped, before lone playlists', () => {
  assert.equal(
    source({
      'a.m3u8': vod(1),
      'm.m3u8': multivariant('high.m3u8', 'low.m3u8'),
      'high.m3u8': vod(1),
      'low.m3u8': vod(1),
    }),
    'high.m3u8',
  );
  assert.equal(source({ 'a.m3u8': vod(1) }), 'a.m3u8');
});

test('what cannot be looped is passed over', () => {
  const live = vod(1).replace('#EXT-X-ENDLIST\n', '');
  const keyed = vod(1).replace('#EXTINF', '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF');
  const ranged = vod(1).replace('s0.ts', '#EXT-X-BYTERANGE:1@0\ns0.ts');
  const elsewhere = vod(1).replace('s0.ts', 'https://cdn.example/s0.ts');
  const still = vod(1).replace('4.0', '0');
  for (const text of [live, keyed, ranged, elsewhere, still, vod(0), multivariant('missing.m3u8')]) {
    assert.equal(source({ 'a.m3u8': text, 'z.m3u8': vod(1) }), 'z.m3u8', text);
    assert.equal(source({ 'a.m3u8': text }), undefined, text);
  }
});

test('where there is nothing to loop the folder is searched once in a while, not for each who asks', async (t) => {
  const folder = await folderOf(t, { 'text.txt': 'none' });
  const digests = new Digests();
  t.after(() => digests.close());
  let now = 0;
  const stream = new LiveStream(folder, digests, () => now);
  assert.equal(await stream.playlist(), undefined);
  await put(folder, { 'a/i.m3u8': vod(1), 'a/s0.ts': 'zero' });
  now = LIVE_SEARCH_AGAIN_MS - 1;
  assert.equal(await stream.playlist(), undefined);
  now = LIVE_SEARCH_AGAIN_MS;
  assert.match((await stream.playlist()) ?? '', /s0\.ts/);
});

test('init files become absolute, and the stream stays with its source while other playlists come', async (t) => {
  const mapped = vod(1).replace('#EXTINF', '#EXT-X-MAP:URI="../init file.mp4",BYTERANGE="3@1"\n#EXTINF');
  const folder = await folderOf(t, { 'v/i.m3u8': mapped, 'v/s0.ts': 'zero', 'init file.mp4': 'init' });
  const digests = new Digests();
  t.after(() => digests.close());
  const stream = new LiveStream(folder, digests, () => 0);
  const playlist = await stream.playlist();
  assert.match(playlist ?? '', /^#EXT-X-MAP:URI="\/media\/init%20file\.mp4",BYTERANGE="3@1"$/m);
  assert.ok(playlist?.includes(`${formatDigestTag(await nameOfText('nit'))}\n#EXT-X-MAP:`), 'the digest of the range');
  await put(folder, { 'a/i.m3u8': vod(1), 'a/s0.ts': 'other' });
  assert.equal(await stream.playlist(), playlist);
});
