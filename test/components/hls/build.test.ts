import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasMediaSource, loadFullBuild, loadLightBuild, needsFullBuild } from '../../../components/hls/build.ts';

const VARIANT = '#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=256x144\nlow.m3u8\n';

test('a stream with picture and sound in one is for the light build', () => {
  assert.equal(needsFullBuild(`#EXTM3U\n${VARIANT}`), false);
  assert.equal(needsFullBuild('#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n'), false);
  assert.equal(needsFullBuild(''), false);
});

test('sound or subtitles in playlists of their own need the full build, in any order of attributes', () => {
  assert.equal(needsFullBuild(`#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="a.m3u8"\n${VARIANT}`), true);
  assert.equal(
    needsFullBuild(`#EXTM3U\n${VARIANT}#EXT-X-MEDIA:URI="s.m3u8",TYPE=SUBTITLES,GROUP-ID="s",NAME="x"\n`),
    true,
  );
});

test('a media tag without a URI, and closed captions, do not', () => {
  assert.equal(needsFullBuild(`#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x"\n${VARIANT}`), false);
  assert.equal(
    needsFullBuild(`#EXTM3U\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="x",INSTREAM-ID="CC1"\n${VARIANT}`),
    false,
  );
});

test('variables and DRM need the full build', () => {
  assert.equal(needsFullBuild(`#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="b"\n${VARIANT}`), true);
  assert.equal(
    needsFullBuild(`#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT="urn:x",URI="k"\n${VARIANT}`),
    true,
  );
});

test('both builds have what the player uses of them', async () => {
  for (const module of [await loadLightBuild(), await loadFullBuild()]) {
    assert.equal(typeof module.default.DefaultConfig.abrController, 'function');
    assert.equal(typeof module.M3U8Parser.parseLevelPlaylist, 'function');
    assert.equal(module.PlaylistLevelType.MAIN, 'main');
    assert.equal(module.Events.LEVEL_LOADED, 'hlsLevelLoaded');
  }
});

test('where there is no Media Source, hls.js is of no use', () => {
  assert.equal(hasMediaSource(), false); // Node has none
});
