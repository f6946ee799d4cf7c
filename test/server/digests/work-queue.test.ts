import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkQueue } from '../../../server/digests/work-queue.ts';
import { SharedFlight } from '../../../server/http/shared-flight.ts';

/** A queue whose jobs end when they are told to. */
function controlled(concurrency: number) {
  const queue = new WorkQueue(concurrency);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, urgent = false) =>
    queue.add(() => {
      started.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    }, urgent);
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, started, add, end };
}

test('no more jobs run at a time than allowed', async () => {
  const { started, add, end } = controlled(2);
  for (const name of ['a', 'b', 'c', 'd']) add(name);
  assert.deepEqual(started, ['a', 'b']);
  await end('b');
  assert.deepEqual(started, ['a', 'b', 'c']);
});

test('urgent jobs run before patient ones', async () => {
  const { started, add, end } = controlled(1);
  add('running');
  add('patient');
  add('urgent', true);
  await end('running');
  await end('urgent');
  assert.deepEqual(started, ['running', 'urgent', 'patient']);
});

test('a waiting job can be hurried; one that runs is left alone', async () => {
  const { queue, started, add, end } = controlled(1);
  const running = add('running');
  add('first');
  const second = add('second');
  queue.hurry(second);
  queue.hurry(running);
  await end('running');
  await end('second');
  await end('first');
  assert.deepEqual(started, ['running', 'second', 'first']);
});

test('those who ask while work runs share it; who asks later gets it anew', async () => {
  let runs = 0;
  const flight = new SharedFlight(async () => ++runs);
  assert.deepEqual(await Promise.all([flight.run(), flight.run(), flight.run()]), [1, 1, 1]);
  assert.equal(await flight.run(), 2);
});

test('shared work that fails is tried again by the next who asks', async () => {
  let runs = 0;
  const flight = new SharedFlight(async () => {
    runs++;
    if (runs === 1) throw new Error('not yet');
    return runs;
  });
  await assert.rejects(flight.run(), /not yet/);
  assert.equal(await flight.run(), 2);
});
