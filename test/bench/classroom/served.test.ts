import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classOf, readServed, segmentCopies, totals, type Served } from '../../../bench/classroom/served.ts';

const sent = (path: string, bytes: number, aborted = false): Served => {
  return { end: 0, milliseconds: 1, path, status: 200, bytes, aborted };
};

test('a line of the access log is read; all others are not', () => {
  const line = JSON.stringify({
    level: 20,
    time: '2024-01-02T03:04:05.678Z',
    method: 'GET',
    path: '/media/seg0.ts',
    status: 206,
    bytes: 1234,
    aborted: true,
    milliseconds: 56,
    msg: 'answered',
  });
  const expected = { path: '/media/seg0.ts', status: 206, bytes: 1234, aborted: true, milliseconds: 56 };
  assert.deepEqual(readServed(line), { end: Date.UTC(2024, 0, 2, 3, 4, 5, 678), ...expected });
  for (const other of ['', 'text', '{broken', '{}', '{"msg":"listening"}', 'null', '{"msg":"answered","path":1}'])
    assert.equal(readServed(other), undefined, other);
});

test('what was sent is sorted by what it is', () => {
  const classes = {
    '/media/seg0.ts': 'media',
    '/media/low/seg12.ts': 'media',
    '/media/index.m3u8': 'playlist',
    '/p2p/leaves/00ff': 'leaves',
    '/media/watch.html': 'page',
    '/p2p-elements/chunks/x.js': 'page',
    '/library/hls.js/dist/hls.min.mjs': 'page',
    '/p2p-manifest.json': 'other',
    '/healthz': 'other',
  };
  for (const [path, expected] of Object.entries(classes)) assert.equal(classOf(path), expected, path);
});

test('requests, bytes and aborted ones are added up in each class', () => {
  const all = totals([sent('/media/a.ts', 100), sent('/media/b.ts', 50, true), sent('/media/index.m3u8', 7)]);
  assert.deepEqual(all.media, { requests: 2, bytes: 150, aborted: 1 });
  assert.deepEqual(all.playlist, { requests: 1, bytes: 7, aborted: 0 });
  assert.deepEqual(all.leaves, { requests: 0, bytes: 0, aborted: 0 });
});

test('copies of a segment are its bytes sent by its size; parts count as parts', () => {
  const sizes = new Map([
    ['seg0.ts', 100],
    ['low/seg1.ts', 200],
    ['seg2.ts', 100],
  ]);
  const served = [sent('/media/seg0.ts', 100), sent('/media/seg0.ts', 50, true), sent('/media/low/seg1.ts', 200)];
  assert.deepEqual(segmentCopies([...served, sent('/media/watch.html', 9)], sizes), {
    min: 1,
    median: 1,
    max: 1.5,
    each: { 'seg0.ts': 1.5, 'low/seg1.ts': 1 },
  });
  assert.equal(segmentCopies([], sizes), undefined);
});
