import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  FIRST_BYTE_MS,
  FIRST_REQUEST_WAIT_MS,
  FIRST_SILENCE_MS,
  FOLLOW_PAUSES,
  FOLLOW_SILENCE_MAX_MS,
  HOP_PATIENCE_MS,
  MAX_HOPS,
  PACE_MS,
  PROVEN_SILENCE_MS,
  SILENCE_MS,
  SLOW_CROSSING_BLOCK_MS,
  SLOW_CROSSING_BLOCKS,
} from '../../../mesh/core/limits.ts';
import { firstPatience, followPatience, isCrossingTooSlow, isTooSlow, patience } from '../../../mesh/core/patience.ts';

test('a neighbour that gave nothing yet is given up after the short silence, however much time there is', () => {
  for (const slack of [-1, 0, 3000, Infinity]) assert.equal(patience(slack, false), SILENCE_MS);
});

test('waiting for a channel and for its first byte hold a start up for a second in all, but for the least that a byte takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: FIRST_REQUEST_WAIT_MS - 1 }), (since) => {
      const silence = firstPatience(since);
      assert.ok(silence >= FIRST_SILENCE_MS && silence <= SILENCE_MS);
      assert.ok(since + silence <= Math.max(FIRST_REQUEST_WAIT_MS, since + FIRST_SILENCE_MS));
    }),
  );
  assert.equal(firstPatience(FIRST_REQUEST_WAIT_MS), SILENCE_MS, 'after the start as ever');
});

test('a neighbour that gave bytes is waited for longer, the more time there is', () => {
  assert.equal(patience(-100, true), SILENCE_MS);
  assert.equal(patience(0, true), SILENCE_MS);
  assert.equal(patience(4000, true), 1000);
  assert.equal(patience(Infinity, true), PROVEN_SILENCE_MS);
});

test('nobody is too slow before the first block, nor within a silence of it', () => {
  assert.equal(isTooSlow({ blocks: -1, openFor: 60_000, due: 16 }, 0), false);
  assert.equal(isTooSlow({ blocks: 0, openFor: SILENCE_MS - 1, due: 16 }, 0), false);
  assert.equal(isTooSlow({ blocks: 0, openFor: SILENCE_MS, due: 16 }, 0), true);
});

test('a neighbour whose pace misses the deadline is too slow, and one that meets it is not', () => {
  const pace = { blocks: 2, openFor: 2000, due: 10 };
  assert.equal(isTooSlow(pace, 9000), true);
  assert.equal(isTooSlow(pace, 11_000), false);
});

test('a pace that would do for a first segment does for an asset without a deadline too', () => {
  const due = 4;
  const openFor = PACE_MS / due;
  for (const slack of [0, Infinity]) {
    assert.equal(isTooSlow({ blocks: 1, openFor, due }, slack), false);
    assert.equal(isTooSlow({ blocks: 1, openFor: openFor + 1, due }, slack), true);
  }
});

const follow = (hops: number, blocks: number, openFor: number, doubts: number): number =>
  followPatience({ hops, blocks, openFor, doubts });

test('who has an asset under way may take long to its first block, and each hop its own time more', () => {
  assert.equal(follow(0, 0, 0, 0), FIRST_BYTE_MS);
  assert.equal(follow(3, 0, 0, 0), FIRST_BYTE_MS + 3 * HOP_PATIENCE_MS);
});

test('a place far behind in the chain is believed within bounds', () => {
  assert.equal(follow(255, 0, 0, 0), follow(MAX_HOPS, 0, 0, 0));
  assert.equal(follow(255, 9, 900, 0), follow(MAX_HOPS, 9, 900, 0));
});

test('each source that gave nothing halves the wait for the next one, down to a silence', () => {
  assert.equal(follow(0, 0, 0, 1), FIRST_BYTE_MS / 2);
  assert.equal(follow(0, 0, 0, 20), SILENCE_MS);
  assert.equal(follow(0, 0, 0, -1), 2 * FIRST_BYTE_MS, 'it may be waiting for other sites');
});

test('after the first block pauses like those before are borne', () => {
  assert.equal(follow(0, 10, 100, 0), SILENCE_MS);
  assert.equal(follow(0, 10, 3000, 0), FOLLOW_PAUSES * 300);
  assert.equal(follow(0, 1, 60_000, 0), FOLLOW_SILENCE_MAX_MS);
});

test('nobody who has it under way is waited for without bound, whatever it says and however little it gives', () => {
  const most = MAX_HOPS * HOP_PATIENCE_MS + Math.max(FIRST_BYTE_MS, FOLLOW_SILENCE_MAX_MS);
  fc.assert(
    fc.property(fc.nat(255), fc.nat(1024), fc.nat(1_000_000), fc.nat(50), (hops, blocks, openFor, doubts) => {
      const wait = follow(hops, blocks, openFor, doubts);
      assert.ok(wait >= SILENCE_MS && wait <= most, `${wait}`);
    }),
  );
});

test('a crossing is too slow only if it is hopeless, will come too late, and several blocks showed it', () => {
  const hopeless = SLOW_CROSSING_BLOCK_MS + 1;
  const pace = { blocks: SLOW_CROSSING_BLOCKS, openFor: SLOW_CROSSING_BLOCKS * hopeless, due: 10 };
  assert.equal(isCrossingTooSlow(pace, Infinity, 0), true);
  assert.equal(isCrossingTooSlow(pace, 60_000, 0), false, 'in time');
  assert.equal(isCrossingTooSlow({ ...pace, blocks: SLOW_CROSSING_BLOCKS - 1 }, Infinity, 0), false, 'not shown yet');
  assert.equal(isCrossingTooSlow({ ...pace, due: 2 }, Infinity, 0), false, 'nearly done');
  assert.equal(isCrossingTooSlow(pace, Infinity, 1), false, 'those before find out first');
  const slow = { ...pace, openFor: SLOW_CROSSING_BLOCKS * SLOW_CROSSING_BLOCK_MS };
  assert.equal(isCrossingTooSlow(slow, 0, 0), false, 'a slow line is slow for all');
});

test('the longest pause that is borne makes no crossing too slow by itself', () => {
  const pace = { blocks: SLOW_CROSSING_BLOCKS, openFor: FOLLOW_SILENCE_MAX_MS, due: 16 };
  assert.equal(isCrossingTooSlow(pace, 0, 0), false);
});
