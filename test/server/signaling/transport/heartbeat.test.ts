import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat } from '../../../../server/signaling/transport/heartbeat.ts';

function pulse() {
  return {
    beats: 0,
    beat() {
      this.beats++;
    },
  };
}

test('each beats once in an interval, from one interval after it was added', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const heartbeat = new Heartbeat(5000);
  const early = pulse();
  const late = pulse();
  heartbeat.add(early);
  t.mock.timers.tick(2000);
  heartbeat.add(late);
  t.mock.timers.tick(2900);
  assert.deepEqual([early.beats, late.beats], [0, 0]);
  t.mock.timers.tick(100);
  assert.deepEqual([early.beats, late.beats], [1, 0]);
  t.mock.timers.tick(2000);
  assert.deepEqual([early.beats, late.beats], [1, 1]);
  t.mock.timers.tick(10_000);
  assert.deepEqual([early.beats, late.beats], [3, 3]);
});

test('who is deleted beats no more, also when another one deletes it', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const heartbeat = new Heartbeat(1000);
  const second = pulse();
  heartbeat.add({ beat: () => heartbeat.delete(second) });
  heartbeat.add(second);
  t.mock.timers.tick(5000);
  assert.equal(second.beats, 0);
});

test('with nobody left there is no timer, and with somebody new there is one again', (t) => {
  const clear = t.mock.method(globalThis, 'clearInterval');
  const set = t.mock.method(globalThis, 'setInterval');
  const heartbeat = new Heartbeat(1000);
  const only = pulse();
  heartbeat.add(only);
  heartbeat.delete(only);
  assert.equal(clear.mock.callCount(), 1);
  heartbeat.delete(only);
  heartbeat.add(only);
  assert.equal(set.mock.callCount(), 2);
  heartbeat.delete(only);
});
