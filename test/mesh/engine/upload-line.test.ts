import assert from 'node:assert/strict';
import test from 'node:test';
import { OUTSIDE_TURN_MS } from '../../../mesh/core/limits.ts';
import { UploadLine, type Leave } from '../../../mesh/engine/upload-line.ts';
import { VirtualClock } from '../world/virtual-clock.ts';

async function waitingFor(count: number): Promise<{ clock: VirtualClock; had: Leave[] }> {
  const clock = new VirtualClock();
  const line = new UploadLine(clock);
  const had: Leave[] = [];
  for (let i = 0; i < count; i++) void line.take().then((leave) => had.push(leave));
  await clock.advance(0);
  return { clock, had };
}

test('one has the line at a time, in the order in which they came', async () => {
  const { clock, had } = await waitingFor(3);
  assert.equal(had.length, 1);
  had[0]?.();
  await clock.advance(0);
  assert.equal(had.length, 2);
});

test('who leaves twice does not send another away', async () => {
  const { clock, had } = await waitingFor(4);
  had[0]?.();
  await clock.advance(0);
  had[0]?.();
  await clock.advance(0);
  assert.equal(had.length, 2);
});

test('who does not leave loses the line in time', async () => {
  const { clock, had } = await waitingFor(3);
  await clock.advance(OUTSIDE_TURN_MS - 1);
  assert.equal(had.length, 1);
  await clock.advance(1);
  assert.equal(had.length, 2);
  had[0]?.();
  await clock.advance(0);
  assert.equal(had.length, 2, 'its leave comes too late to count');
});
