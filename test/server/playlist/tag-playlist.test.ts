import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssetName, Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { parsePlaylist, type MediaPlaylist } from '../../../server/playlist/playlist.ts';
import { listedIn, tagPlaylist, type TagDecision } from '../../../server/playlist/tag-playlist.ts';

const name: AssetName = { digest: 'ab'.repeat(32) as Digest, size: 7 };
const tag = formatDigestTag(name);
const old = formatDigestTag({ digest: 'cd'.repeat(32) as Digest, size: 9 });

/** With decisions on maps, then segments, in their order. */
function tagged(text: string, ...decisions: TagDecision[]): string {
  const playlist = parsePlaylist(text) as MediaPlaylist;
  return tagPlaylist(
    text,
    playlist,
    new Map(listedIn(playlist).map((one, index) => [one, decisions[index] ?? 'none'])),
  );
}

test('a tag stands right before the #EXTINF of its segment, all else stays', () => {
  assert.equal(
    tagged('#EXTM3U\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\n# note\na.ts\n#EXTINF:4,\nb.ts\n', name, 'none'),
    `#EXTM3U\n#EXT-X-DISCONTINUITY\n${tag}\n#EXTINF:4,\n# note\na.ts\n#EXTINF:4,\nb.ts\n`,
  );
});

test('tags that were there are replaced, wherever they stood', () => {
  const text = `#EXTM3U\n${old}\n#EXTINF:4,\n${old}\na.ts\n`;
  assert.equal(tagged(text, name), `#EXTM3U\n${tag}\n#EXTINF:4,\na.ts\n`);
  assert.equal(tagged(text, 'none'), '#EXTM3U\n#EXTINF:4,\na.ts\n');
  assert.equal(tagged(text, 'keep'), text);
});

test('the tag of an initialization segment stands before its #EXT-X-MAP, that of a range before the #EXTINF', () => {
  const map = '#EXT-X-MAP:URI="all.mp4",BYTERANGE="9@0"\n';
  const segment = '#EXTINF:4,\n#EXT-X-BYTERANGE:5@9\nall.mp4\n';
  const initName = { ...name, size: 9 };
  const both = `#EXTM3U\n${formatDigestTag(initName)}\n${map}${tag}\n${segment}`;
  assert.equal(tagged(`#EXTM3U\n${map}${segment}`, initName, name), both);
  assert.equal(tagged(both, initName, name), both);
  assert.equal(tagged(both, 'none', 'none'), `#EXTM3U\n${map}${segment}`);
  assert.equal(tagged(both, 'none', 'keep'), `#EXTM3U\n${map}${tag}\n${segment}`);
});

test('tagging twice changes nothing more', () => {
  const once = tagged('#EXTM3U\n#EXTINF:4,\na.ts\n', name);
  assert.equal(tagged(once, name), once);
});

test('the line ends of the playlist are kept', () => {
  assert.equal(tagged('#EXTM3U\r\n#EXTINF:4,\r\na.ts\r\n', name), `#EXTM3U\r\n${tag}\r\n#EXTINF:4,\r\na.ts\r\n`);
  assert.equal(tagged('#EXTM3U\n#EXTINF:4,\na.ts', 'none'), '#EXTM3U\n#EXTINF:4,\na.ts');
});
