import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssetName, Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';
import { parsePlaylist, type MediaPlaylist } from '../../../server/playlist/playlist.ts';
import { tagPlaylist, type TagDecision } from '../../../server/playlist/tag-playlist.ts';

const name: AssetName = { digest: 'ab'.repeat(32) as Digest, size: 7 };
const tag = formatDigestTag(name);
const old = formatDigestTag({ digest: 'cd'.repeat(32) as Digest, size: 9 });

const tagged = (text: string, ...decisions: TagDecision[]): string =>
  tagPlaylist(text, parsePlaylist(text) as MediaPlaylist, decisions);

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

test('tagging twice changes nothing more', () => {
  const once = tagged('#EXTM3U\n#EXTINF:4,\na.ts\n', name);
  assert.equal(tagged(once, name), once);
});

test('the line ends of the playlist are kept', () => {
  assert.equal(tagged('#EXTM3U\r\n#EXTINF:4,\r\na.ts\r\n', name), `#EXTM3U\r\n${tag}\r\n#EXTINF:4,\r\na.ts\r\n`);
  assert.equal(tagged('#EXTM3U\n#EXTINF:4,\na.ts', 'none'), '#EXTM3U\n#EXTINF:4,\na.ts');
});
