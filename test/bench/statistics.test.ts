import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greatest, median, medianOrNaN, quantile, sum } from '../../bench/statistics.ts';

test('of nothing there is no median, quantile or greatest, and the sum is 0', () => {
  assert.deepEqual([median([]), quantile([], 0.5), greatest([]), sum([])], [undefined, undefined, undefined, 0]);
  assert.ok(Number.isNaN(medianOrNaN([])));
});

test('the median of an even count lies between the two in the middle, in whatever order they come', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
});

test('a quantile is a value that is there, from the least to the greatest', () => {
  const values = [40, 10, 30, 20];
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((p) => quantile(values, p)),
    [10, 10, 20, 30, 40],
  );
  assert.deepEqual(values, [40, 10, 30, 20], 'the list stays as it was');
});
