import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlaybackGauge, unionLength, type Sample } from '../../../bench/classroom/gauge/playback-gauge.ts';

const SAMPLE: Sample = { now: 0, position: 0, duration: 60, ended: false, buffered: [], played: [], height: 144 };

/** A gauge that sees the playhead at these positions, a tenth of a second apart; the first frame comes with the first sample. */
function watch(positions: readonly number[], more: Partial<Sample> = {}) {
  const gauge = new PlaybackGauge();
  positions.forEach((position, index) => {
    gauge.sample({ ...SAMPLE, ...more, now: index / 10, position });
    if (index === 0) gauge.firstFrame(0);
  });
  return gauge.read();
}

const playing = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index / 10);
const standing = (at: number, count: number): number[] => Array.from({ length: count }, () => at);
const near = (actual: number | undefined, expected: number): void =>
  assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-6, `${actual} instead of ${expected}`);

test('before there is a video, nothing was seen', () => {
  const reading = new PlaybackGauge().read();
  assert.deepEqual(
    [reading.firstFrame, reading.played, reading.bufferEnd, reading.ended, reading.stalls],
    [undefined, 0, 0, false, []],
  );
});

test('a playhead that moves is no stall', () => {
  const reading = watch(playing(0, 21));
  near(reading.played, 2);
  assert.deepEqual([reading.stalls, reading.isStalled], [[], false]);
});

test('a pause of less than 0.3 s is no stall', () => {
  assert.deepEqual(watch([...playing(0, 10), ...standing(0.9, 2), ...playing(1, 5)]).stalls, []);
});

test('a stall lasts from the last move to the next', () => {
  const { stalls, isStalled, played } = watch([...playing(0, 11), ...standing(1, 10), ...playing(1.1, 5)]);
  assert.equal(stalls.length, 1);
  near(stalls[0]?.at, 1);
  near(stalls[0]?.duration, 1.1);
  assert.equal(isStalled, false);
  near(played, 1.5);
});

test('a stall that goes on is counted as far as it got', () => {
  const { stalls, isStalled } = watch([...playing(0, 11), ...standing(1, 20)]);
  assert.equal(isStalled, true);
  near(stalls[0]?.duration, 2);
});

test('two stalls are two', () => {
  const { stalls } = watch([...playing(0, 6), ...standing(0.5, 5), ...playing(0.6, 6), ...standing(1.1, 5)]);
  assert.equal(stalls.length, 2);
});

test('waiting for the first frame is no stall', () => {
  const gauge = new PlaybackGauge();
  for (let index = 0; index < 50; index++) gauge.sample({ ...SAMPLE, now: index / 10 });
  gauge.firstFrame(4.9);
  gauge.firstFrame(5.5);
  gauge.sample({ ...SAMPLE, now: 5, position: 0.1 });
  const reading = gauge.read();
  assert.deepEqual([reading.firstFrame, reading.stalls], [4.9, []]);
});

test('a jump is skipped media, and no advance that ends a stall', () => {
  const { skipped, played, stalls, isStalled } = watch([...playing(0, 6), ...standing(0.5, 5), 10, ...standing(10, 5)]);
  near(skipped, 9.5);
  near(played, 0.5);
  assert.deepEqual([stalls.length, isStalled], [1, true]);
});

test('the jump to where a live stream begins skips nothing', () => {
  const gauge = new PlaybackGauge();
  gauge.sample(SAMPLE);
  gauge.firstFrame(0.05);
  gauge.sample({ ...SAMPLE, now: 0.1, position: 20 });
  near(gauge.read().skipped, 0);
});

test('a jump back is neither played nor skipped', () => {
  const { skipped, played } = watch([...playing(5, 6), 1, ...playing(1.1, 3)]);
  near(skipped, 0);
  near(played, 0.5 + 0.3);
});

test('at the end nobody stalls, also where the last frame ends a little early', () => {
  const reading = watch([...playing(58, 20), ...standing(59.9, 30)]);
  assert.deepEqual([reading.ended, reading.stalls], [true, []]);
  assert.equal(watch([...playing(0, 5), ...standing(0.4, 30)], { ended: true }).stalls.length, 0);
});

test('live has no end to be near to', () => {
  const reading = watch(playing(4294967294, 5), { duration: 4294967295 });
  assert.equal(reading.ended, false);
  assert.equal(watch(playing(10, 5), { duration: Infinity }).ended, false);
  assert.equal(watch(playing(10, 5), { duration: NaN }).ended, false);
});

test('renditions are told by the height of the picture, with the seconds played in each', () => {
  const gauge = new PlaybackGauge();
  const heights = [0, 0, 108, 108, 108, 180, 180, 108];
  heights.forEach((height, index) => gauge.sample({ ...SAMPLE, now: index / 10, position: index / 10, height }));
  const { heights: changes, playedIn } = gauge.read();
  assert.deepEqual(
    changes.map(({ height }) => height),
    [108, 180, 108],
  );
  near(changes[1]?.at, 0.5);
  near(playedIn[108], 0.4);
  near(playedIn[180], 0.2);
});

test('what a viewer has is what it has played or buffered, and where that ends', () => {
  const reading = watch([0], {
    buffered: [
      [4, 12],
      [20, 30],
    ],
    played: [[0, 5]],
  });
  assert.deepEqual([reading.have, reading.bufferEnd], [22, 30]);
});

test('overlapping and touching ranges count once', () => {
  assert.equal(unionLength([]), 0);
  assert.equal(
    unionLength([
      [5, 6],
      [0, 2],
      [1, 3],
      [3, 4],
      [0, 1],
    ]),
    5,
  );
});
