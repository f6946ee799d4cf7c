import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import {
  selectAssets,
  taggedAsWritten,
  taggedWhenServed,
  type Selection,
} from '../../../server/digests/select-assets.ts';
import { parsePlaylist } from '../../../server/playlist/playlist.ts';
import type { ReadPlaylist } from '../../../server/playlist/read-playlist.ts';
import { nameOfText } from '../support.ts';

/** Chooses among these files; those with a text are playlists. */
function select(files: Record<string, string | null>, tagged: Selection['tagged'] = taggedWhenServed) {
  const playlists = new Map<string, ReadPlaylist>();
  for (const [path, text] of Object.entries(files)) {
    const playlist = text === null ? undefined : parsePlaylist(text);
    if (text !== null && playlist !== undefined) playlists.set(path, { text, playlist });
  }
  return selectAssets({ files: Object.keys(files), playlists, tagged });
}

const VOD = '#EXTM3U\n#EXTINF:4,\ns0.ts\n#EXT-X-ENDLIST\n';
const LIVE = '#EXTM3U\n#EXTINF:4,\ns7.ts\n';

test('segments of a VOD are left to their playlist, which is listed itself', () => {
  assert.deepEqual(select({ 'v/i.m3u8': VOD, 'v/s0.ts': null, 'v/s1.ts': null, 'map.png': null }), {
    files: ['v/s1.ts', 'map.png'],
    playlists: ['v/i.m3u8'],
  });
});

test('a live playlist is not listed, nor are its segments: past ones, listed ones, and the one being written', () => {
  const files = { 'l/i.m3u8': LIVE, 'l/s6.ts': null, 'l/s7.ts': null, 'l/s8.ts': null, 'l/poster.png': null };
  assert.deepEqual(select(files), { files: ['l/poster.png'], playlists: [] });
});

test('the init file of a live stream is listed though it is of the same type as the segments', () => {
  const live = '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\ns7.mp4\n';
  assert.deepEqual(select({ 'i.m3u8': live, 'init.mp4': null, 's7.mp4': null }).files, ['init.mp4']);
});

test('a multivariant playlist is listed when all its playlists are ours and VOD', () => {
  const multivariant = (uri: string) =>
    `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/i.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\n${uri}\n`;
  const rest = { 'low/i.m3u8': VOD, 'live/i.m3u8': LIVE };
  assert.deepEqual(select({ ...rest, 'm.m3u8': multivariant('low/i.m3u8') }).playlists, ['low/i.m3u8', 'm.m3u8']);
  for (const uri of ['live/i.m3u8', 'missing.m3u8', 'https://cdn.example/i.m3u8', 'm.m3u8']) {
    assert.deepEqual(select({ ...rest, 'm.m3u8': multivariant(uri) }).playlists, ['low/i.m3u8'], uri);
  }
});

test('keys are never listed, wherever a playlist names them', () => {
  const keyed = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="../k/secret.key?x=1"\n#EXTINF:4,\ns0.ts\n#EXT-X-ENDLIST\n';
  const session =
    '#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k/session.key"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/i.m3u8\n';
  const files = { 'v/i.m3u8': keyed, 'v/s0.ts': null, 'k/secret.key': null, 'k/session.key': null, 'm.m3u8': session };
  for (const tagged of [taggedWhenServed, taggedAsWritten]) {
    assert.ok(!select(files, tagged).files.some((file) => file.startsWith('k/')));
  }
  assert.deepEqual(select(files).files, []);
});

test('a file played by byte ranges is listed: the playlist names only the ranges', () => {
  const ranged = '#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:100@0\nall.mp4\n#EXT-X-ENDLIST\n';
  assert.deepEqual(select({ 'i.m3u8': ranged, 'all.mp4': null }).files, ['all.mp4']);
});

test('what is named like a playlist and is none (yet) is not listed', () => {
  assert.deepEqual(select({ 'half.m3u8': null, 'a.png': null }), { files: ['a.png'], playlists: [] });
});

test('for a static host, segments are listed unless the playlist has tags', async () => {
  const tagged = VOD.replace('#EXTINF', `${formatDigestTag(await nameOfText('x'))}\n#EXTINF`);
  assert.deepEqual(select({ 'i.m3u8': VOD, 's0.ts': null }, taggedAsWritten).files, ['s0.ts']);
  assert.deepEqual(select({ 'i.m3u8': tagged, 's0.ts': null }, taggedAsWritten).files, []);
});
