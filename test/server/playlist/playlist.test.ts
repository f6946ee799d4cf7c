import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parsePlaylist,
  uriAttribute,
  type MediaPlaylist,
  type MultivariantPlaylist,
} from '../../../server/playlist/playlist.ts';

const media = (text: string): MediaPlaylist => {
  const playlist = parsePlaylist(text);
  assert.ok(playlist?.kind === 'media');
  return playlist;
};

test('text that does not begin with #EXTM3U is no playlist', () => {
  for (const text of ['', '\n#EXTM3U', 'hello', '#EXTINF:4,\na.ts']) assert.equal(parsePlaylist(text), undefined);
});

test('a media playlist has segments with duration, map and line', () => {
  const { segments, maps, ended } = media(
    '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4.5,Title, with comma\n# a comment\n\na.m4s\n#EXTINF:3\nb.m4s\n',
  );
  assert.deepEqual(
    segments.map(({ uri, duration, line, map }) => ({ uri, duration, line, map: map?.attributes })),
    [
      { uri: 'a.m4s', duration: 4.5, line: 2, map: 'URI="init.mp4"' },
      { uri: 'b.m4s', duration: 3, line: 6, map: 'URI="init.mp4"' },
    ],
  );
  assert.deepEqual(
    maps.map(({ uri, line }) => [uri, line]),
    [['init.mp4', 1]],
  );
  assert.equal(ended, false);
});

test('only #EXT-X-ENDLIST ends a playlist: an EVENT may still grow', () => {
  assert.equal(media('#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n').ended, false);
  assert.equal(media('#EXTM3U\r\n#EXT-X-ENDLIST\r\n').ended, true);
});

test('a byte range without an offset begins where the one before it ends, if that is of the same file', () => {
  const { segments } = media(
    [
      '#EXTM3U',
      ...['5@3 a', '4 a', '4 b', '2@0 b', '1 b', 'x a', '0@5 a'].flatMap((range) => {
        const [bytes, uri = ''] = range.split(' ');
        return ['#EXTINF:1,', `#EXT-X-BYTERANGE:${bytes}`, uri];
      }),
    ].join('\n'),
  );
  assert.deepEqual(
    segments.map(({ range, taggable }) => (taggable ? [range?.start, range?.end] : null)),
    [[3, 8], [8, 12], null, [0, 2], [2, 3], null, null],
  );
});

test('a map has a range, and the tags before it, unless it stands behind an #EXTINF', () => {
  const { maps, segments } = media(
    '#EXTM3U\n#EXT-X-P2P-DIGEST:i\n#EXT-X-MAP:URI="a",BYTERANGE="9"\n#EXT-X-P2P-DIGEST:s\n#EXTINF:1,\n#EXT-X-MAP:URI="b"\ns\n#EXT-X-MAP:BYTERANGE="1@x",URI="c"\n#EXTINF:1,\nt\n',
  );
  assert.deepEqual(
    maps.map(({ uri, range, tagLines, taggable }) => ({ uri, range, tagLines, taggable })),
    [
      { uri: 'a', range: { start: 0, end: 9 }, tagLines: [1], taggable: true },
      { uri: 'b', range: undefined, tagLines: [], taggable: false },
      { uri: 'c', range: undefined, tagLines: [], taggable: false },
    ],
  );
  assert.deepEqual(
    segments.map(({ tagLines, map }) => [...tagLines, map?.uri]),
    [[3, 'b'], ['c']],
  );
});

test('byte ranges, gaps and discontinuities belong to the next segment only', () => {
  const { segments } = media(
    '#EXTM3U\n#EXT-X-BYTERANGE:5@0\n#EXTINF:1,\na\n#EXTINF:1,\n#EXT-X-GAP\nb\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\nc\n',
  );
  assert.deepEqual(
    segments.map(({ range, taggable, discontinuity }) => [range !== undefined, taggable, discontinuity]),
    [
      [true, true, false],
      [false, false, false],
      [false, true, true],
    ],
  );
});

test('keys are found, also of several methods, each once', () => {
  const { keys } = media(
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k1"\n#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x1\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:URI="k2",METHOD=AES-128\n',
  );
  assert.deepEqual(keys, ['k1', 'k2']);
});

test('a multivariant playlist lists variants, renditions and I-frame playlists, each once', () => {
  const playlist = parsePlaylist(
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="audio.m3u8"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="b"\nlow.m3u8\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"\n',
  ) as MultivariantPlaylist;
  assert.equal(playlist.kind, 'multivariant');
  assert.deepEqual(playlist.playlists, ['low.m3u8', 'high.m3u8', 'audio.m3u8', 'i.m3u8']);
  assert.deepEqual(playlist.keys, ['k']);
});

test('a URI without #EXTINF is no segment, and a half-written last line is harmless', () => {
  assert.deepEqual(media('#EXTM3U\nstray.ts\n#EXTINF:4,').segments, []);
});

test('the URI attribute is told from others that end alike', () => {
  assert.equal(uriAttribute('METHOD=AES-128,XURI="no",URI="yes"'), 'yes');
  assert.equal(uriAttribute('XURI="no"'), undefined);
});

test('any text is parsed or refused, never thrown at', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '#EXTM3U',
      '#EXTINF:4,',
      '#EXTINF:',
      '#EXT-X-ENDLIST',
      '#EXT-X-KEY:URI="',
      '#EXT-X-STREAM-INF:',
      'a.ts',
      '',
      '#EXT-X-P2P-DIGEST:',
    ),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(line), (lines) => void parsePlaylist(['#EXTM3U', ...lines].join('\n'))));
});
