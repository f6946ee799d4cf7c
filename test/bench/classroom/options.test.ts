import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalTimes, describe, formatArrival, parseArrival, runOptions } from '../../../bench/classroom/options.ts';

test('arrivals are read and written in the same words', () => {
  for (const text of ['together', 'stagger:3', 'ahead:14', 'stagger:0.5'])
    assert.equal(formatArrival(parseArrival(text)), text);
  for (const text of ['', 'stagger', 'stagger:', 'ahead:x', 'together:1', 'stagger:-1'])
    assert.throws(() => parseArrival(text), /Expected together, stagger:SECONDS or ahead:SECONDS/, text);
});

test('viewers come all at once, one by one, or all but the first later', () => {
  assert.deepEqual(arrivalTimes({ kind: 'together' }, 3), [0, 0, 0]);
  assert.deepEqual(arrivalTimes({ kind: 'stagger', seconds: 3 }, 3), [0, 3, 6]);
  assert.deepEqual(arrivalTimes({ kind: 'ahead', seconds: 14 }, 3), [0, 14, 14]);
});

test('what is not said follows from what is', () => {
  const options = runOptions({ uplink: 48, duration: 32 });
  assert.deepEqual([options.back, options.timeout, options.viewers], [48, 126, 6]);
  assert.equal(runOptions({ uplink: 48, back: 2 }).back, 2);
  assert.equal(runOptions({ timeout: 5 }).timeout, 5);
});

test('what does not fit together is refused in one line', () => {
  const cases: [Parameters<typeof runOptions>[0], RegExp][] = [
    [{ viewers: 13 }, /1 to 12 viewers, but got 13/],
    [{ viewers: 0 }, /1 to 12 viewers/],
    [{ duration: 30 }, /steps of 4/],
    [{ duration: 244 }, /4 to 240/],
    [{ killViewer: 7 }, /no viewer 7 among 6/],
    [{ renditions: 2 as 3 }, /1 or 3 renditions, but got 2/],
    [{ mode: 'live', renditions: 3 }, /one rendition only/],
  ];
  for (const [said, expected] of cases) assert.throws(() => runOptions(said), expected);
  assert.equal(runOptions({ mode: 'live', duration: 45 }).duration, 45);
  assert.equal(runOptions({ killViewer: 'busiest' }).killViewer, 'busiest');
});

test('a run is named by what is special about it', () => {
  assert.equal(describe(runOptions({})), 'p2p-elements vod, 6 viewers, 8 Mbit/s, together');
  assert.equal(
    describe(
      runOptions({ uplink: 0, back: 3, seeded: true, warm: true, renditions: 3, killOriginAt: 20, killViewerAt: 5 }),
    ),
    'p2p-elements vod, 6 viewers, unlimited/3 Mbit/s, together, seeded, second visit, 3 renditions, line cut at 20 s, viewer 1 killed at 5 s',
  );
});
