import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock, systemRandom } from '../../../mesh/io/clock.ts';

test('a function is run once, not before its time', async () => {
  const from = systemClock.now();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  assert.ok(systemClock.now() - from >= 19);
});

test('what was taken back is not run', async () => {
  let ran = false;
  const cancel = systemClock.after(0, () => (ran = true));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  assert.equal(ran, false);
});

test('random numbers lie in [0, 1) and differ', () => {
  const numbers = Array.from({ length: 200 }, systemRandom);
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  assert.ok(new Set(numbers).size > 190);
});
