import assert from 'node:assert/strict';
import test from 'node:test';
import { PACE_MS, PROVEN_SILENCE_MS, SILENCE_MS } from '../../../mesh/core/limits.ts';
import { isTooSlow, patience } from '../../../mesh/core/patience.ts';

test('a neighbour that gave nothing yet is given up after the short silence, however much time there is', () => {
  for (const slack of [-1, 0, 3000, Infinity]) assert.equal(patience(slack, false), SILENCE_MS);
});

test('a neighbour that gave bytes is waited for longer, the more time there is', () => {
  assert.equal(patience(-100, true), SILENCE_MS);
  assert.equal(patience(0, true), SILENCE_MS);
  assert.equal(patience(4000, true), 1000);
  assert.equal(patience(Infinity, true), PROVEN_SILENCE_MS);
});

test('nobody is too slow before the first block', () => {
  assert.equal(isTooSlow({ blocks: 0, openFor: 60_000, due: 16 }, 0), false);
});

test('a neighbour whose pace misses the deadline is too slow, and one that meets it is not', () => {
  const pace = { blocks: 2, openFor: 2000, due: 10 };
  assert.equal(isTooSlow(pace, 9000), true);
  assert.equal(isTooSlow(pace, 11_000), false);
});

test('a pace that would do for a first segment does for an asset without a deadline too', () => {
  const due = 8;
  const openFor = PACE_MS / due;
  for (const slack of [0, Infinity]) {
    assert.equal(isTooSlow({ blocks: 1, openFor, due }, slack), false);
    assert.equal(isTooSlow({ blocks: 1, openFor: openFor + 1, due }, slack), true);
  }
});
