import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitted, greatest, median, medianOrNaN, quantile, sum } from '../../bench/statistics.ts';

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

test('a line is fitted to points, and is level where they tell no slope', () => {
  const line = fitted([0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x + (x % 2 === 0 ? 0.1 : -0.1) })));
  assert.ok(Math.abs(line.slope - 1.96) < 1e-9);
  assert.ok(Math.abs(line.at(1.5) - 8) < 1e-9);
  const level = fitted([
    { x: 7, y: 1 },
    { x: 7, y: 3 },
  ]);
  assert.deepEqual([level.slope, level.at(100)], [0, 2]);
});
