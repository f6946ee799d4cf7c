import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from '../../../bench/signaling/tally.ts';

test('what did not come is missing, what came twice or from nowhere is surplus', () => {
  const tally = new Tally();
  const [first, second, third] = [tally.sent(), tally.sent(), tally.sent()];
  assert.deepEqual([tally.count, tally.missing, tally.surplus], [3, 3, 0]);
  tally.came(first);
  tally.came(third);
  tally.came(third);
  tally.came(99);
  assert.deepEqual([tally.arrived, tally.missing, tally.surplus], [2, 1, 2]);
  tally.came(second);
  assert.equal(tally.missing, 0);
});

test('latencies are of those that came, each from when it was sent', () => {
  let now = 0;
  const tally = new Tally(() => now);
  const [slow, quick] = [tally.sent(), ((now = 100), tally.sent())];
  now = 110;
  tally.came(quick);
  now = 400;
  tally.came(slow);
  tally.sent();
  assert.deepEqual(tally.times, [10, 400]);
});
