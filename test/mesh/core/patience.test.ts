import assert from 'node:assert/strict';
import test from 'node:test';
import { PROVEN_SILENCE_MS, SILENCE_MS } from '../../../mesh/core/limits.ts';
import { patience } from '../../../mesh/core/patience.ts';

test('a neighbour that gave nothing yet is given up after the short silence, however much time there is', () => {
  for (const slack of [-1, 0, 3000, Infinity]) assert.equal(patience(slack, false), SILENCE_MS);
});

test('a neighbour that gave bytes is waited for longer, the more time there is', () => {
  assert.equal(patience(-100, true), SILENCE_MS);
  assert.equal(patience(0, true), SILENCE_MS);
  assert.equal(patience(4000, true), 1000);
  assert.equal(patience(Infinity, true), PROVEN_SILENCE_MS);
});
