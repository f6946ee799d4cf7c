import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../../../protocol/ids.ts';
import { livePlaylist, type LiveSegment } from '../../../server/playlist/live-playlist.ts';
import { parsePlaylist, type MediaPlaylist } from '../../../server/playlist/playlist.ts';

const segment = (uri: string, duration = 4): LiveSegment => ({
  uri,
  duration,
  name: { digest: 'ab'.repeat(32) as Digest, size: 1 },
  map: undefined,
  discontinuity: false,
});
const four = ['a', 'b', 'c', 'd'].map((uri) => segment(uri));
const START = Date.UTC(2026, 0, 1);

function read(text: string) {
  const playlist = parsePlaylist(text) as MediaPlaylist;
  const number = (tag: string): number => Number(new RegExp(`^#${tag}:(\\d+)$`, 'm').exec(text)?.[1]);
  return {
    uris: playlist.segments.map(({ uri }) => uri).join(''),
    breaks: playlist.segments.map(({ discontinuity }) => (discontinuity ? '|' : '.')).join(''),
    sequence: number('EXT-X-MEDIA-SEQUENCE'),
    discontinuities: number('EXT-X-DISCONTINUITY-SEQUENCE'),
    target: number('EXT-X-TARGETDURATION'),
    dates: [...text.matchAll(/PROGRAM-DATE-TIME:(.*)/g)].map((match) => Date.parse(match[1] ?? '')),
    ended: playlist.ended,
  };
}

const at = (seconds: number, segments = four) => read(livePlaylist(segments, START + 1000 * seconds, START));

test('a window of six segments is there at once, and the stream never ends', () => {
  const { uris, sequence, ended, target } = at(0);
  assert.deepEqual({ uris, sequence, ended, target }, { uris: 'abcdab', sequence: 0, ended: false, target: 4 });
});

test('the window moves on by one segment when one is complete, not before', () => {
  assert.equal(at(3.999).sequence, 0);
  assert.deepEqual([at(4).sequence, at(4).uris], [1, 'bcdabc']);
  assert.equal(at(8).sequence, 2);
});

test('each loop begins with a discontinuity, and those that left the window are counted', () => {
  assert.deepEqual([at(0).breaks, at(0).discontinuities], ['....|.', 0]);
  assert.deepEqual([at(16).uris, at(16).breaks, at(16).discontinuities], ['abcdab', '|...|.', 0]);
  assert.deepEqual([at(20).uris, at(20).breaks, at(20).discontinuities], ['bcdabc', '...|..', 1]);
  assert.equal(at(36).discontinuities, 2);
});

test('discontinuities within the loop stay, and are counted when they left the window', () => {
  const joined = four.map((one, index) => ({ ...one, discontinuity: index % 2 === 0 }));
  assert.deepEqual([at(0, joined).breaks, at(0, joined).discontinuities], ['..|.|.', 0]);
  assert.deepEqual(
    [at(12, joined).uris, at(12, joined).breaks, at(12, joined).discontinuities],
    ['dabcda', '.|.|.|', 1],
  );
  assert.equal(at(16, joined).discontinuities, 1);
  assert.equal(at(20, joined).discontinuities, 2);
  assert.equal(at(16 * 10 + 12, joined).discontinuities, 21);
});

test('a segment keeps its date, and the newest ends at the present', () => {
  assert.equal(at(0).dates.at(-1), START - 4000);
  assert.deepEqual(at(4).dates.slice(0, -1), at(0).dates.slice(1));
});

test('segments of uneven length follow one another without a hole', () => {
  const uneven = [segment('a', 3.84), segment('b', 4.12), segment('c', 0.04)];
  const { dates, uris } = at(1000, uneven);
  const durations = Array.from(uris, (uri) => uneven.find((one) => one.uri === uri)?.duration ?? NaN);
  for (let i = 1; i < dates.length; i++)
    assert.ok(Math.abs((dates[i] ?? 0) - (dates[i - 1] ?? 0) - 1000 * (durations[i - 1] ?? 0)) <= 1, `${i}`);
});

test('a map is said first and when it changes', () => {
  const mapped = [
    { ...segment('a'), map: { attributes: 'URI="1"', name: undefined } },
    { ...segment('b'), map: { attributes: 'URI="1"', name: undefined } },
    { ...segment('c'), map: { attributes: 'URI="2"', name: undefined } },
  ];
  const maps = [...livePlaylist(mapped, START, START).matchAll(/^#EXT-X-MAP:URI="(.)"$|^([abc])$/gm)].map(
    (match) => match[1] ?? match[2],
  );
  assert.equal(maps.join(''), '1ab2c1ab2c');
});

test('a map that has a digest has its tag before it', () => {
  const name = { digest: 'cd'.repeat(32) as Digest, size: 9 };
  const mapped = [{ ...segment('a'), map: { attributes: 'URI="1"', name } }];
  assert.match(livePlaylist(mapped, START, START), /\n#EXT-X-P2P-DIGEST:(cd){32},9\n#EXT-X-MAP:URI="1"\n/);
});

test('at any moment there are six segments, numbers only grow, and each number has the same segment in every playlist', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 9 }),
      fc.nat(1_000_000),
      fc.nat(60),
      (durations, seconds, later) => {
        const segments = durations.map((duration, index) => segment(String.fromCharCode(97 + index), duration));
        const [before, after] = [at(seconds, segments), at(seconds + later, segments)];
        assert.equal(before.uris.length, 6);
        assert.ok(after.sequence >= before.sequence);
        assert.equal(before.uris[0], segments[before.sequence % segments.length]?.uri);
        // the absolute discontinuity number of a segment is the number of its loop
        const first = after.discontinuities + (after.breaks.startsWith('|') ? 1 : 0);
        assert.equal(first, Math.floor(after.sequence / segments.length));
      },
    ),
  );
});
