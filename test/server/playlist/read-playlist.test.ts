import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_PLAYLIST_BYTES } from '../../../server/limits.ts';
import { isPlaylistPath, readPlaylist } from '../../../server/playlist/read-playlist.ts';
import { folderOf, vod } from '../support.ts';

test('playlists are known by their names, in any case', () => {
  assert.deepEqual(['a.m3u8', 'b/C.M3U8', 'd.m3u'].map(isPlaylistPath), [true, true, true]);
  assert.deepEqual(['a.m3u8.tmp', 'm3u8', 'a.m3u88', 'a.ts'].map(isPlaylistPath), [false, false, false, false]);
});

test('a playlist is read with its text as it stands', async (t) => {
  const folder = await folderOf(t, { 'i.m3u8': vod(2) });
  const read = await readPlaylist(join(folder, 'i.m3u8'));
  assert.equal(read?.text, vod(2));
  assert.equal(read.playlist.kind, 'media');
});

test('what is gone, a folder, no playlist, not UTF-8 or too large is none', async (t) => {
  const folder = await folderOf(t, {
    'empty.m3u8': '',
    'text.m3u8': 'hello',
    'latin.m3u8': Buffer.from('#EXTM3U\n#EXTINF:4,\ngr\xfc\xdfe.ts\n', 'latin1'),
    'large.m3u8': `#EXTM3U\n${'#'.repeat(MAX_PLAYLIST_BYTES)}`,
  });
  await mkdir(join(folder, 'folder.m3u8'));
  for (const name of ['missing', 'folder', 'empty', 'text', 'latin', 'large']) {
    assert.equal(await readPlaylist(join(folder, `${name}.m3u8`)), undefined, name);
  }
});
