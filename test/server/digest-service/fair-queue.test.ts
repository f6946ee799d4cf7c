import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '../../../server/digest-service/fair-queue.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Jobs that run until they are let go. */
function jobs() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const job = (name: string) => (): Promise<void> => {
    started.push(name);
    return new Promise((end) => ends.push(end));
  };
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await turn();
  };
  return { started, job, endOne };
}

test('owners take turns, and each has its jobs in order', async () => {
  const queue = new FairQueue(1, 100);
  const { started, job, endOne } = jobs();
  const [film, news] = [{}, {}];
  for (const name of ['film 1', 'film 2', 'film 3']) queue.add(film, job(name));
  for (const name of ['news 1', 'news 2']) queue.add(news, job(name));
  for (let i = 0; i < 5; i++) await endOne();
  assert.deepEqual(started, ['film 1', 'film 2', 'news 1', 'film 3', 'news 2']);
  assert.equal(queue.size, 0);
});

test('no more than so many run at a time', async () => {
  const queue = new FairQueue(2, 100);
  const { started, job, endOne } = jobs();
  for (const name of ['1', '2', '3', '4']) queue.add({}, job(name));
  assert.deepEqual(started, ['1', '2']);
  await endOne();
  assert.deepEqual(started, ['1', '2', '3']);
});

test('no more than so many wait', async () => {
  const queue = new FairQueue(1, 2);
  const { started, job, endOne } = jobs();
  const owner = {};
  assert.deepEqual(
    ['1', '2', '3', '4'].map((name) => queue.add(owner, job(name))),
    [true, true, true, false],
  );
  await endOne();
  assert.equal(queue.add(owner, job('5')), true);
  await endOne();
  await endOne();
  assert.deepEqual(started, ['1', '2', '3', '5']);
});
