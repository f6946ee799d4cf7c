import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abrOf, chooseSource, isHlsType, kindOf, preloadOf, type Candidate } from '../../components/video-source.ts';

const BASE = 'https://page.example/lesson/';
const source = (src: string, type = '', media = ''): Candidate => ({ src, type, media });
const plays = (type: string): boolean => type === 'video/mp4';
const choose = (src: string | null, ...candidates: Candidate[]) =>
  chooseSource(src, candidates, BASE, plays, (query) => query === '(min-width: 1px)');

test('HLS is told by its types, with parameters and in any case', () => {
  for (const type of [
    'application/vnd.apple.mpegurl',
    'application/x-mpegURL',
    'audio/mpegurl; charset=utf-8',
    'Application/VND.Apple.MpegURL',
  ])
    assert.ok(isHlsType(type), type);
  for (const type of ['', 'video/mp4', 'application/vnd.apple.mpegurlish', 'text/plain'])
    assert.ok(!isHlsType(type), type);
});

test('without a type the path tells, and its query does not', () => {
  assert.equal(kindOf(new URL('https://a/x.m3u8?token=1')), 'hls');
  assert.equal(kindOf(new URL('https://a/x.MP4#t=3')), 'file');
  assert.equal(kindOf(new URL('https://a/watch?v=x.m3u8')), 'unknown');
  assert.equal(kindOf(new URL('blob:https://a/0')), 'file');
});

test('a type counts more than the path', () => {
  assert.equal(kindOf(new URL('https://a/watch'), 'application/x-mpegurl'), 'hls');
  assert.equal(kindOf(new URL('https://a/x.m3u8'), 'video/mp4'), 'file');
});

test('src wins over <source> children and is made absolute', () => {
  assert.deepEqual(choose('a.m3u8', source('b.mp4')), { url: `${BASE}a.m3u8`, kind: 'hls' });
});

test('the first <source> that can be played is taken', () => {
  assert.equal(
    choose(null, source('a.ogv', 'video/ogg'), source('b.mp4', 'video/mp4'), source('c.mp4'))?.url,
    `${BASE}b.mp4`,
  );
});

test('an HLS <source> can be played though the browser says no', () => {
  assert.deepEqual(choose(null, source('list', 'application/vnd.apple.mpegurl')), { url: `${BASE}list`, kind: 'hls' });
});

test('a <source> whose media query does not match is passed over', () => {
  assert.equal(
    choose(null, source('small.mp4', '', '(max-width: 1px)'), source('big.mp4', '', '(min-width: 1px)'))?.url,
    `${BASE}big.mp4`,
  );
});

test('nothing to play: no source, an empty src, a URL that is none', () => {
  assert.equal(choose(null), null);
  assert.equal(choose(' ', source('b.mp4')), null);
  assert.equal(choose('http://'), null);
  assert.equal(choose(null, source('')), null);
});

test('preload is as said; nothing or nonsense said means auto', () => {
  assert.equal(preloadOf('none', false), 'none');
  assert.equal(preloadOf('METADATA', false), 'metadata');
  assert.equal(preloadOf(null, false), 'auto');
  assert.equal(preloadOf('', false), 'auto');
  assert.equal(preloadOf('sometimes', false), 'auto');
});

test('autoplay makes preload meaningless', () => {
  assert.equal(preloadOf('none', true), 'auto');
});

test("abr is the swarm's unless it says player; what it does not know is said once and counts as that", () => {
  const warnings: string[] = [];
  const abr = (value: string | null): string => abrOf(value, (message) => warnings.push(message));
  assert.deepEqual([abr(null), abr('swarm'), abr('player'), abr('fast')], ['swarm', 'swarm', 'player', 'swarm']);
  assert.deepEqual(warnings, [
    '<p2p-video abr="fast"> is not understood: expected "swarm" or "player". For now it counts as "swarm".',
  ]);
});
