import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LINE_SAMPLE_BYTES, LINE_SAMPLE_SHARE } from '../../../mesh/core/limits.ts';
import { LineMeter } from '../../../mesh/core/line-meter.ts';

test('before the first crossing nothing is known', () => {
  assert.equal(new LineMeter().rate, 0);
});

test('a crossing tells the rate', () => {
  const meter = new LineMeter();
  meter.begin(1000, false);
  meter.count(600_000);
  meter.count(400_000);
  meter.end(2000);
  assert.equal(meter.rate, 1_000_000);
});

test('a small crossing, and one that took no time, tell nothing', () => {
  const meter = new LineMeter();
  meter.begin(0, false);
  meter.count(LINE_SAMPLE_BYTES - 1);
  meter.end(10);
  meter.begin(20, false);
  meter.count(LINE_SAMPLE_BYTES);
  meter.end(20);
  assert.equal(meter.rate, 0);
});

test('two crossings at a time are one measurement of the line', () => {
  const meter = new LineMeter();
  meter.begin(0, false);
  meter.begin(500, false);
  meter.count(1_000_000);
  meter.end(1000);
  assert.equal(meter.rate, 1_000_000);
  meter.count(500_000);
  meter.end(1500);
  assert.equal(meter.rate, 1_000_000);
});

test('the time between crossings does not count', () => {
  const meter = new LineMeter();
  for (const from of [0, 60_000]) {
    meter.begin(from, false);
    meter.count(1_000_000);
    meter.end(from + 1000);
  }
  assert.equal(meter.rate, 1_000_000);
});

test('a line that changes is followed', () => {
  const meter = new LineMeter();
  const cross = (rate: number): number => {
    meter.begin(0, false);
    meter.count(1000 * rate);
    meter.end(1000);
    return meter.rate / 1000;
  };
  cross(1000);
  assert.equal(cross(2000), 1000 + LINE_SAMPLE_SHARE * 1000);
  for (let i = 0; i < 20; i++) cross(2000);
  assert.ok(Math.abs(meter.rate / 1000 - 2000) < 1);
});

test('the rate stays between the slowest and the fastest crossing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 200, max: 20_000 }), { minLength: 1, maxLength: 20 }), (rates) => {
      const meter = new LineMeter();
      for (const rate of rates) {
        meter.begin(0, false);
        meter.count(1000 * rate);
        meter.end(1000);
      }
      assert.ok(meter.rate >= 1000 * Math.min(...rates) - 1e-3 && meter.rate <= 1000 * Math.max(...rates) + 1e-3);
    }),
  );
});

test('what came while others of the site crossed too raises the rate, and never lowers it', () => {
  for (const when of ['at the beginning', 'on the way']) {
    const meter = new LineMeter();
    const cross = (rate: number, shared: string): void => {
      meter.begin(0, shared === 'at the beginning');
      if (shared === 'on the way') meter.heard(0, true);
      meter.count(1000 * rate);
      meter.end(1000);
    };
    cross(500, when);
    assert.equal(meter.rate, 500_000, 'better than nothing');
    cross(1000, when);
    assert.equal(meter.rate, 750_000);
    cross(300, when);
    assert.equal(meter.rate, 750_000);
    cross(250, 'never');
    assert.equal(meter.rate, 500_000);
  }
});

test('what another of the site measured counts like a crossing of our own', () => {
  const meter = new LineMeter();
  meter.heard(0, false);
  assert.equal(meter.rate, 0);
  meter.heard(1_000_000, false);
  assert.equal(meter.rate, 1_000_000);
  meter.heard(500_000, true);
  assert.equal(meter.rate, 750_000);
});
