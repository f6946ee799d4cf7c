import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listedAssets, mediaPlaylists } from '../../../server/digest-service/listed-assets.ts';
import { MAX_MEDIA_PLAYLISTS, MAX_PLAYLIST_ASSETS } from '../../../server/digest-service/limits.ts';
import { parsePlaylist, type MediaPlaylist } from '../../../server/playlist/playlist.ts';

const BASE = 'https://cdn.example/film/index.m3u8?token=1';
const admits = (url: string): boolean => url.startsWith('https://cdn.example/');

const listed = (text: string) => listedAssets(parsePlaylist(text) as MediaPlaylist, BASE, admits);

test('segments, ranges and initialization segments, each once, as browsers write their URLs', () => {
  const text = `#EXTM3U
#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
#EXTINF:4,
a b.ts
#EXTINF:4,
/root.ts?x=1#part
#EXT-X-BYTERANGE:50@100
#EXTINF:4,
all.ts
#EXT-X-BYTERANGE:60
#EXTINF:4,
all.ts
#EXTINF:4,
a%20b.ts
`;
  const film = 'https://cdn.example/film';
  assert.deepEqual(listed(text), [
    { url: `${film}/init.mp4`, range: { start: 0, end: 100 } },
    { url: `${film}/a%20b.ts`, range: undefined },
    { url: 'https://cdn.example/root.ts?x=1', range: undefined },
    { url: `${film}/all.ts`, range: { start: 100, end: 150 } },
    { url: `${film}/all.ts`, range: { start: 150, end: 210 } },
  ]);
});

test('no keys, gaps, or URLs of other origins', () => {
  const text = `#EXTM3U
#EXT-X-KEY:METHOD=AES-128,URI="key.bin"
#EXTINF:4,
https://evil.example/a.ts
#EXTINF:4,
http://169.254.169.254/latest
#EXTINF:4,
key.bin
#EXT-X-GAP
#EXTINF:4,
gap.ts
#EXTINF:4,
file:///etc/passwd
#EXTINF:4,
https://${'a'.repeat(3000)}/
#EXTINF:4,
https://cdn.example/${'a'.repeat(3000)}
`;
  assert.deepEqual(listed(text), []);
});

test('no more than so many', () => {
  const text = `#EXTM3U\n${Array.from({ length: MAX_PLAYLIST_ASSETS + 10 }, (_, i) => `#EXTINF:4,\n${i}.ts\n`).join('')}`;
  assert.equal(listed(text).length, MAX_PLAYLIST_ASSETS);
  const variants = Array.from({ length: 100 }, (_, i) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${i}.m3u8\n`).join('');
  assert.equal(mediaPlaylists(parsePlaylist(`#EXTM3U\n${variants}`)!, BASE, admits).length, MAX_MEDIA_PLAYLISTS);
});

test('media playlists of a multivariant one, each once', () => {
  const text = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="de",URI="de.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2
./low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3
https://evil.example/high.m3u8
`;
  assert.deepEqual(mediaPlaylists(parsePlaylist(text)!, BASE, admits), [
    'https://cdn.example/film/low.m3u8',
    'https://cdn.example/film/de.m3u8',
  ]);
  assert.deepEqual(mediaPlaylists(parsePlaylist('#EXTM3U\n')!, BASE, admits), []);
});

test('whatever a playlist says, only admitted URLs with ranges that have bytes come out', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('#EXTINF:4,', '#EXT-X-BYTERANGE:10', '#EXT-X-BYTERANGE:10@5', '#EXT-X-BYTERANGE:-1@5', 'a.ts'),
    fc.webUrl(),
    fc.string().map((uri) => `#EXT-X-MAP:URI="${uri}"`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const playlist = parsePlaylist(['#EXTM3U', ...lines].join('\n'));
      if (playlist?.kind !== 'media') return;
      for (const { url, range } of listedAssets(playlist, BASE, admits)) {
        assert.ok(admits(url) && !url.includes('#'));
        assert.ok(!range || (range.start >= 0 && range.end > range.start));
      }
    }),
  );
});
