import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

test('events run by time, and those of one time in the order in which they were asked for', async () => {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const ran: { readonly at: number; readonly order: number }[] = [];
  for (let order = 0; order < 1000; order++) {
    const at = Math.floor(random() * 50);
    clock.after(at, () => ran.push({ at, order }));
  }
  await clock.advance(49);
  assert.equal(ran.length, 1000);
  assert.deepEqual(
    ran,
    [...ran].sort((a, b) => a.at - b.at || a.order - b.order),
  );
});

test('what is taken back does not run', async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const cancel = clock.after(10, () => ran.push('taken back'));
  clock.after(10, () => ran.push('stays'));
  cancel();
  await clock.advance(10);
  assert.deepEqual(ran, ['stays']);
  assert.equal(clock.now(), 10);
});

test('promises are run to their end between two events', async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const first = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
    ran.push('all of the first');
  };
  clock.after(1, () => void first());
  clock.after(1, () => ran.push('second'));
  await clock.advance(1);
  assert.deepEqual(ran, ['all of the first', 'second']);
});

test('an error in an event ends the run with it', async () => {
  const clock = new VirtualClock();
  clock.after(1, () => {
    throw new Error('in an event');
  });
  await assert.rejects(clock.advance(2), /in an event/);
});

test('waiting for what does not come ends in an error that names it', async () => {
  const clock = new VirtualClock();
  clock.after(10, () => undefined);
  await assert.rejects(
    clock.until(() => clock.now() > 20, 15),
    /did not come true within 15 ms.*now\(\) ?> ?20/,
  );
});
