import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../../../bench/classroom/report.ts';
import { resultOf, switchesAfter } from '../../../bench/classroom/result.ts';
import { copies, measurement, reading, viewer } from './support.ts';

test('copies are the bytes of segments, and all bytes on the line, by those of one copy', () => {
  const result = resultOf(measurement([viewer(1), viewer(2)], { served: copies(2), uplinkBytes: 36_000 }));
  assert.equal(result.oneCopy, 15_000);
  assert.equal(result.mediaCopies, 2);
  assert.equal(result.allCopies, 2.4);
  assert.equal(result.offload, 1 - 36_000 / 30_000);
  assert.deepEqual([result.segmentCopies?.min, result.segmentCopies?.max], [2, 2]);
});

test('pages and playlists are no media', () => {
  const page = { end: 0, milliseconds: 1, path: '/media/watch.html', status: 200, bytes: 5000, aborted: false };
  assert.equal(resultOf(measurement([viewer(1)], { served: [...copies(1), page] })).mediaCopies, 1);
});

test('first frames: the median of the viewers, the latest, and how many had one', () => {
  const viewers = [viewer(1, { firstFrame: 2 }), viewer(2, { firstFrame: 4 }), viewer(3, { firstFrame: undefined })];
  const result = resultOf(measurement(viewers));
  assert.deepEqual([result.firstFrameMedian, result.firstFrameMax, result.firstFrames], [3, 4, 2]);
});

test('stalls and skipped seconds of all viewers are added up', () => {
  const stalls = [
    { at: 3, duration: 1.5 },
    { at: 9, duration: 0.5 },
  ];
  const result = resultOf(measurement([viewer(1, { stalls }), viewer(2, { stalls, skipped: 4 }), viewer(3)]));
  assert.deepEqual([result.stallSeconds, result.stallCount, result.skipped], [4, 4, 4]);
  assert.deepEqual(
    result.perViewer.map(({ stallSeconds }) => stallSeconds),
    [2, 2, 0],
  );
});

test('who seeds is not asked for its start and stalls, but its bytes count', () => {
  const stalls = [{ at: 3, duration: 1 }];
  const viewers = [viewer(1, { firstFrame: 9, stalls }), viewer(2, { firstFrame: 1 })];
  const result = resultOf(measurement(viewers, { options: { seeded: true }, uplinkAfterSeed: 500 }));
  assert.deepEqual([result.firstFrameMedian, result.stallCount, result.completed], [1, 0, 2]);
  assert.deepEqual([result.mediaCopies, result.uplinkAfterSeed], [1, 500]);
});

test('to the end came who ended; a killed viewer did not', () => {
  const viewers = [
    viewer(1),
    viewer(2, { ended: false }),
    viewer(3, {}, { state: 'killed' }),
    { ...viewer(4), reading: undefined },
  ];
  assert.deepEqual(
    resultOf(measurement(viewers)).perViewer.map(({ completed }) => completed),
    [true, false, false, false],
  );
});

test('live: who plays at the end has made it, and one copy is what the one with most obtained', () => {
  const live = { ended: false, played: 40, have: 50 };
  const viewers = [viewer(1, live), viewer(2, { ...live, have: 60 }), viewer(3, { ...live, isStalled: true })];
  const result = resultOf(measurement(viewers, { options: { mode: 'live', duration: 45 }, served: copies(2) }));
  assert.equal(result.completed, 2);
  assert.equal(result.oneCopy, 15_000);
  assert.equal(result.mediaCopies, 2);
});

test('with renditions one copy is of the mix that was played, and each viewer consumed what it played', () => {
  const viewers = [
    viewer(1, { playedIn: { 180: 60 }, heights: [{ at: 2, height: 180 }] }),
    viewer(2, { playedIn: { 108: 30, 180: 30 } }),
  ];
  const result = resultOf(measurement(viewers, { options: { renditions: 3 } }));
  assert.equal(result.mostPlayed, 180);
  assert.equal(result.oneCopy, 60 * (0.25 * 125 + 0.75 * 500));
  assert.deepEqual(result.playedShares, { 108: 0.25, 180: 0.75 });
  assert.deepEqual(
    result.perViewer.map(({ consumed }) => consumed),
    [30_000, 60 * (0.5 * 125 + 0.5 * 500)],
  );
});

test('switches count from 15 s on, and the first picture is none', () => {
  const at = (...times: number[]) => times.map((time) => ({ at: time, height: 0 }));
  assert.equal(switchesAfter(at(2), 15), 0);
  assert.equal(switchesAfter(at(2, 5, 15, 16, 40), 15), 2);
  assert.equal(switchesAfter(at(20), 15), 0);
  const viewers = [viewer(1, { heights: [...reading().heights, { at: 30, height: 180 }] }), viewer(2)];
  assert.equal(resultOf(measurement(viewers)).maxSwitchesSettled, 1);
});

test('at a cut: how far the furthest buffer reached, and who did not get to its last whole segment', () => {
  const ends = [47.9, 20, 16, 24];
  const disturbance = {
    kind: 'line cut' as const,
    at: 20,
    viewers: ends.map((bufferEnd, index) => ({ number: index + 1, position: 10, bufferEnd })),
  };
  const viewers = [47.9, 48, 31, 47.6].map((position, index) => viewer(index + 1, { position, ended: false }));
  const { cut } = resultOf(measurement(viewers, { disturbance }));
  assert.deepEqual([cut?.holder, cut?.heldTo, cut?.sentTo], [1, 47.9, 60]);
  assert.ok(Math.abs((cut?.aheadBy ?? 0) - 31.9) < 1e-9);
  assert.deepEqual(cut?.others, [
    { number: 2, playedTo: 48, reached: true },
    { number: 3, playedTo: 31, reached: false },
    { number: 4, playedTo: 47.6, reached: true },
  ]);
});

test('who jumped over what was held has not played it', () => {
  const disturbance = {
    kind: 'line cut' as const,
    at: 20,
    viewers: [1, 2].map((number) => ({ number, position: 9, bufferEnd: number === 1 ? 48 : 12 })),
  };
  const { cut } = resultOf(measurement([viewer(1), viewer(2, { position: 48, skipped: 4 })], { disturbance }));
  assert.equal(cut?.others[0]?.reached, false);
});

test('half a segment that somebody held at the cut is asked of nobody', () => {
  const disturbance = {
    kind: 'line cut' as const,
    at: 20,
    viewers: [
      { number: 1, position: 9, bufferEnd: 46 },
      { number: 2, position: 9, bufferEnd: 12 },
    ],
  };
  const { cut } = resultOf(measurement([viewer(1), viewer(2, { position: 44 })], { disturbance }));
  assert.deepEqual(cut?.others, [{ number: 2, playedTo: 44, reached: true }]);
});

test('what the origin had handed over whole by the cut is told apart from what came later or in part', () => {
  const disturbance = { kind: 'line cut' as const, at: 20, viewers: [{ number: 1, position: 9, bufferEnd: 8 }] };
  const cutAt = Date.parse('2024-01-02T03:04:05.000Z') + 20_000;
  const segment = (number: number, end: number, bytes: number) => {
    return { end, milliseconds: 1, path: `/media/seg${number}.ts`, status: 200, bytes, aborted: bytes < 1000 };
  };
  const served = [
    segment(0, cutAt - 9, 1100),
    segment(2, cutAt, 1100),
    segment(3, cutAt - 9, 900),
    segment(4, cutAt + 1, 1100),
  ];
  assert.equal(resultOf(measurement([viewer(1)], { disturbance, served })).cut?.sentTo, 12);
});

test('after a kill only stalls count that last past it, of those who live', () => {
  const disturbance = { kind: 'viewer killed' as const, at: 10, viewers: [] };
  const stalls = [
    { at: 2, duration: 1 },
    { at: 8, duration: 3 },
    { at: 12, duration: 1 },
  ];
  const viewers = [
    viewer(1, { stalls }, { state: 'killed' }),
    viewer(2, { stalls }),
    viewer(3, { stalls: [{ at: 4, duration: 1 }] }, { startedAt: 6 }),
  ];
  const result = resultOf(measurement(viewers, { disturbance }));
  assert.equal(result.stallsAfterKill, 3);
  assert.equal(resultOf(measurement([viewer(1)])).stallsAfterKill, undefined);
});

test('a run in which nobody saw anything still has a report', () => {
  const blind = [1, 2].map((number) => ({ ...viewer(number), reading: undefined, warnings: ['no route'] }));
  const measured = measurement(blind, { served: [] });
  const text = report(measured, resultOf(measured));
  assert.match(text, /first frame median \/ max, s +– \/ –/);
  assert.match(text, /v2: no route/);
});
