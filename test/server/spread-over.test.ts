import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreadOver } from '../../server/spread-over.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const never = new AbortController().signal;

test('each has its turn once, in random order, over the whole time', async () => {
  const done: { item: number; at: number }[] = [];
  const startedAt = performance.now();
  await spreadOver(numbers(1000), 300, (item) => done.push({ item, at: performance.now() - startedAt }), never);
  assert.deepEqual(
    done.map(({ item }) => item).sort((a, b) => a - b),
    numbers(1000),
  );
  assert.notDeepEqual(
    done.map(({ item }) => item),
    numbers(1000),
  );
  // never earlier than its share of the time; later where the machine is busy
  for (const [index, { at }] of done.entries()) assert.ok(at >= (300 * index) / 1000 - 1, `${index} after ${at} ms`);
});

test('nobody takes no time, and no time takes all at once', async () => {
  await spreadOver([], 3_600_000, () => assert.fail(), never);
  const done: number[] = [];
  await spreadOver(numbers(3), 0, (item) => done.push(item), never);
  assert.equal(done.length, 3);
});

test('an aborted one leaves the rest alone', async () => {
  const controller = new AbortController();
  const done: number[] = [];
  await spreadOver(
    numbers(10),
    3_600_000,
    (item) => {
      done.push(item);
      setImmediate(() => controller.abort());
    },
    controller.signal,
  );
  assert.equal(done.length, 1);
});
