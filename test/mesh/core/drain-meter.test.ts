import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DrainMeter } from '../../../mesh/core/drain-meter.ts';
import { FIRST_MESSAGE_BYTES, MESSAGE_MS } from '../../../mesh/core/limits.ts';
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../../protocol/limits.ts';

test('before a channel has carried anything, its messages have the first length', () => {
  assert.equal(new DrainMeter().messageBytes, FIRST_MESSAGE_BYTES);
});

test('a message is what the channel carried in MESSAGE_MS', () => {
  const meter = new DrainMeter();
  meter.send(256_000, 0, 1000);
  meter.drained(56_000, 2000);
  assert.equal(meter.messageBytes, 200 * MESSAGE_MS);
});

test('what was still in the channel counts for the next measurement', () => {
  const meter = new DrainMeter();
  meter.send(256_000, 0, 0);
  meter.drained(56_000, 1000);
  meter.send(200_000, 56_000, 1000);
  meter.drained(0, 2024);
  assert.equal(meter.messageBytes, 250 * MESSAGE_MS);
});

test('the time that a channel was empty does not count', () => {
  const meter = new DrainMeter();
  meter.send(200_000, 0, 0);
  meter.drained(0, 1000);
  meter.send(100_000, 0, 60_000);
  meter.send(100_000, 100_000, 60_000);
  meter.drained(0, 61_000);
  assert.equal(meter.messageBytes, 200 * MESSAGE_MS);
});

test('a channel that took no time tells nothing', () => {
  const meter = new DrainMeter();
  meter.send(200_000, 0, 5);
  meter.drained(0, 5);
  assert.equal(meter.messageBytes, FIRST_MESSAGE_BYTES);
});

test('however slow or fast a channel is, its messages stay within what all take', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.double({ min: 0.01, max: 1e6, noNaN: true }), (bytes, time) => {
      const meter = new DrainMeter();
      meter.send(bytes, 0, 0);
      meter.drained(0, time);
      assert.ok(meter.messageBytes >= MIN_MESSAGE_BYTES && meter.messageBytes <= MAX_MESSAGE_BYTES);
    }),
  );
});
