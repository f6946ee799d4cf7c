import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Beacon } from '../../../protocol/beacon.ts';
import { BeaconGate } from '../../../server/beacons/beacon-gate.ts';
import {
  BEACON_BURST,
  BEACON_BYTES_PER_SECOND,
  BEACON_CREDIT_MS,
  BEACON_EVERY_MS,
  BEACON_MAX_MS,
  MAX_FIRST_FRAME_MS,
} from '../../../server/beacons/limits.ts';

const MINUTE = 60_000;

const beacon = (bytes: number, rest: Partial<Beacon> = {}): Beacon => ({
  bytes: { origin: bytes, peers: bytes, store: bytes, uploaded: bytes },
  stalls: 0,
  stalled: 0,
  firstFrames: [],
  noMesh: null,
  ...rest,
});

const LIE = beacon(Number.MAX_SAFE_INTEGER, {
  stalls: 1e9,
  stalled: 1e12,
  firstFrames: [1e9, 500],
});

test('what a real viewer says is believed as it is', () => {
  const gate = new BeaconGate(0);
  const said = beacon(30_000_000, { stalls: 2, stalled: 4000, firstFrames: [700] });
  for (let minute = 1; minute <= 10; minute++)
    assert.deepEqual(gate.take(said, minute * MINUTE), { beacon: said, isClamped: false });
});

test('a liar counts for no more than a client could have seen in the time', () => {
  const gate = new BeaconGate(0);
  const hour = 60 * MINUTE;
  let [bytes, stalls, stalled] = [0, 0, 0];
  for (let at = 0; at <= hour; at += 1000) {
    const believed = gate.take(LIE, at);
    if (believed === undefined) continue;
    assert.ok(believed.isClamped);
    bytes += believed.beacon.bytes.origin;
    stalls += believed.beacon.stalls;
    stalled += believed.beacon.stalled;
  }
  const seconds = (hour + BEACON_CREDIT_MS) / 1000;
  assert.ok(bytes > 0 && bytes <= seconds * BEACON_BYTES_PER_SECOND, `${bytes}`);
  assert.ok(stalled <= seconds * 1000);
  assert.ok(stalls <= 2 * seconds);
});

test('after a long silence it may say ten minutes, not hours', () => {
  const gate = new BeaconGate(0);
  const believed = gate.take(LIE, 100 * BEACON_MAX_MS);
  assert.equal(believed?.beacon.bytes.peers, (BEACON_MAX_MS / 1000) * BEACON_BYTES_PER_SECOND);
  assert.equal(believed.beacon.stalled, BEACON_MAX_MS);
  assert.deepEqual(believed.beacon.firstFrames, [MAX_FIRST_FRAME_MS, 500]);
});

test('beacons that come too fast are not taken, a few at once and one each while are', () => {
  const gate = new BeaconGate(0);
  const taken = (from: number, count: number): number =>
    Array.from({ length: count }, (_, i) => gate.take(beacon(0), from + i)).filter((believed) => believed).length;
  assert.equal(taken(0, 100), BEACON_BURST);
  assert.equal(taken(BEACON_EVERY_MS + 100, 100), 1);
});

test('a clock that goes back gives nobody credit', () => {
  const gate = new BeaconGate(1000);
  gate.take(LIE, 1000);
  assert.equal(gate.take(LIE, 0)?.beacon.bytes.origin, 0);
});
