import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { M3U8Parser, PlaylistLevelType, type LevelDetails } from 'hls.js';
import {
  bufferedUntil,
  nameOfFragment,
  segmentsAfter,
  segmentsOf,
  upcomingOf,
} from '../../../components/hls/segments.ts';
import { forgetWarnings } from '../../../mesh/page/warn.ts';
import type { Digest } from '../../../protocol/ids.ts';
import { formatDigestTag } from '../../../protocol/playlist-tag.ts';

const digest = (letter: string): Digest => letter.repeat(64) as Digest;
const tag = (letter: string): string => formatDigestTag({ digest: digest(letter), size: 1000 });

const parse = (...lines: string[]): LevelDetails =>
  M3U8Parser.parseLevelPlaylist(
    ['#EXTM3U', '#EXT-X-TARGETDURATION:2', ...lines, '#EXT-X-ENDLIST', ''].join('\n'),
    'https://a/x.m3u8',
    0,
    PlaylistLevelType.MAIN,
    0,
    null,
  );

const nameOf = (details: LevelDetails, index: number) => {
  const fragment = details.fragments[index];
  assert.ok(fragment);
  return nameOfFragment(fragment);
};

test("hls.js's parser keeps the digest tag with the segment that follows it", () => {
  const details = parse(tag('a'), '#EXTINF:2,', '0.ts', '#EXTINF:2,', '1.ts', '#EXTINF:2,', tag('b'), '2.ts');
  assert.deepEqual(nameOf(details, 0), { digest: digest('a'), size: 1000 });
  assert.equal(nameOf(details, 1), null);
  assert.deepEqual(nameOf(details, 2), { digest: digest('b'), size: 1000 });
});

test('a tag before EXT-X-MAP names the initialization segment', () => {
  const details = parse(tag('c'), '#EXT-X-MAP:URI="init.mp4"', tag('a'), '#EXTINF:2,', '0.m4s');
  const init = details.fragments[0]?.initSegment;
  assert.ok(init);
  assert.deepEqual(nameOfFragment(init), { digest: digest('c'), size: 1000 });
  assert.deepEqual(nameOf(details, 0)?.digest, digest('a'));
});

test('a byte range of a file has the name of its bytes, not one of another size', () => {
  const details = parse(
    ...[tag('a'), '#EXTINF:2,', '#EXT-X-BYTERANGE:1000@5', 'all.ts'],
    ...[tag('b'), '#EXTINF:2,', '#EXT-X-BYTERANGE:1000', 'all.ts'],
    ...[tag('c'), '#EXTINF:2,', '#EXT-X-BYTERANGE:999', 'all.ts'],
  );
  assert.deepEqual(
    [0, 1, 2].map((index) => nameOf(details, index)?.digest),
    [digest('a'), digest('b'), undefined],
  );
});

test('a range as initialization segment has the name of its bytes', () => {
  const map = '#EXT-X-MAP:URI="all.mp4",BYTERANGE="1000@0"';
  const details = parse(tag('f'), map, tag('a'), '#EXTINF:2,', '#EXT-X-BYTERANGE:1000@1000', 'all.mp4');
  const init = details.fragments[0]?.initSegment;
  assert.equal(init && nameOfFragment(init)?.digest, digest('f'));
  assert.equal(nameOf(details, 0)?.digest, digest('a'));
});

test('what is to come are the named segments from the buffer on, and their initialization segments once they are needed', () => {
  const details = parse(
    ...[tag('c'), '#EXT-X-MAP:URI="init.mp4"', tag('0'), '#EXTINF:2,', '0.m4s', '#EXTINF:2,', '1.m4s'],
    ...['#EXT-X-DISCONTINUITY', tag('d'), '#EXT-X-MAP:URI="next.mp4"', tag('2'), '#EXTINF:2,', '2.m4s'],
    ...['#EXT-X-GAP', tag('3'), '#EXTINF:2,', '3.m4s', tag('4'), '#EXTINF:2,', '4.m4s'],
  );
  const seen = (from: number, until: number): string[] =>
    upcomingOf(segmentsOf(details), from, until).map(({ url, start, name }) => `${url} ${start} ${name.digest[0]}`);
  assert.deepEqual(seen(0, 4), ['https://a/init.mp4 0 c', 'https://a/0.m4s 0 0', 'https://a/init.mp4 2 c']);
  assert.deepEqual(seen(4, 99), [
    'https://a/next.mp4 4 d',
    'https://a/2.m4s 4 2',
    'https://a/next.mp4 8 d',
    'https://a/4.m4s 8 4',
  ]);
  const [first] = details.fragments;
  assert.ok(first?.initSegment);
  first.initSegment.data = new Uint8Array(1);
  assert.deepEqual(seen(0, 2), ['https://a/0.m4s 0 0']);
});

test('a range that is to come is told as such', () => {
  const details = parse(tag('a'), '#EXTINF:2,', '#EXT-X-BYTERANGE:1000@5', 'all.ts');
  assert.deepEqual(upcomingOf(segmentsOf(details), 0, 30), [
    {
      url: 'https://a/all.ts',
      name: { digest: digest('a'), size: 1000 },
      range: { start: 5, end: 1005 },
      start: 0,
    },
  ]);
});

test('malformed tags are left out, with one warning that says what to do', (t) => {
  forgetWarnings();
  const warn = mock.method(console, 'warn', () => undefined);
  t.after(() => warn.mock.restore());
  const details = parse(
    '#EXT-X-P2P-DIGEST:abc,5',
    '#EXTINF:2,',
    '0.ts',
    '#EXT-X-P2P-DIGEST:',
    '#EXTINF:2,',
    '1.ts',
    tag('a'),
    '#EXTINF:2,',
    '2.ts',
  );
  assert.deepEqual(
    segmentsOf(details).map((segment) => segment.digest),
    [null, null, digest('a')],
  );
  assert.equal(warn.mock.callCount(), 1);
  assert.match(
    String(warn.mock.calls[0]?.arguments[0]),
    /Expected #EXT-X-P2P-DIGEST:.*comes from the origin; write the playlist's tags anew/,
  );
});

test('the segments after a position begin with the one that is not yet played out', () => {
  const segments = [2, 4, 6, 8].map((end) => ({ end }));
  const ends = (position: number, count = 2): number[] =>
    segmentsAfter(segments, position, count).map(({ end }) => end);
  assert.deepEqual(ends(0), [2, 4]);
  assert.deepEqual(ends(3.5), [4, 6]);
  assert.deepEqual(ends(3.95), [6, 8]);
  assert.deepEqual(ends(7), [8]);
  assert.deepEqual(ends(8), []);
});

test('what is buffered ahead ends at the first hole that can’t be played over', () => {
  const ranges = (...all: [number, number][]) => ({
    length: all.length,
    start: (i: number) => all[i]?.[0] ?? NaN,
    end: (i: number) => all[i]?.[1] ?? NaN,
  });
  assert.equal(bufferedUntil(ranges(), 5), 5);
  assert.equal(bufferedUntil(ranges([0, 4]), 2), 4);
  assert.equal(bufferedUntil(ranges([0.1, 4]), 0), 4);
  assert.equal(bufferedUntil(ranges([0, 4], [4.1, 8], [9, 12]), 2), 8);
  assert.equal(bufferedUntil(ranges([0, 4], [8, 12]), 6), 6);
  assert.equal(bufferedUntil(ranges([0, 4], [8, 12]), 5), 5);
});
