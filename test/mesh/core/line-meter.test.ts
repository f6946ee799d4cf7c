import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LINE_SAMPLE_BYTES, LINE_WINDOW_MS } from '../../../mesh/core/limits.ts';
import { LineMeter } from '../../../mesh/core/line-meter.ts';

const UNKNOWN = { ours: 0, ofAll: 0 };

/** A crossing of one second. */
function cross(meter: LineMeter, from: number, rate: number): void {
  meter.begin(from);
  meter.count(rate);
  meter.end(from + 1000);
}

test('before the first crossing nothing is known', () => {
  assert.deepEqual(new LineMeter().fastest, UNKNOWN);
});

test('a crossing tells the rate', () => {
  const meter = new LineMeter();
  meter.begin(1000);
  meter.count(600_000);
  meter.count(400_000);
  meter.end(2000);
  assert.deepEqual(meter.fastest, { ours: 1_000_000, ofAll: 1_000_000 });
});

test('a small crossing, and one that took no time, tell nothing', () => {
  const meter = new LineMeter();
  meter.begin(0);
  meter.count(LINE_SAMPLE_BYTES - 1);
  meter.end(10);
  meter.begin(20);
  meter.count(LINE_SAMPLE_BYTES);
  meter.end(20);
  assert.deepEqual(meter.fastest, UNKNOWN);
});

test('two crossings at a time are one measurement of the line, also where the second is read late and at once', () => {
  const meter = new LineMeter();
  meter.begin(0);
  meter.begin(500);
  meter.count(1_000_000);
  meter.end(1000);
  assert.equal(meter.fastest.ofAll, 1_000_000);
  meter.count(500_000);
  meter.end(1001);
  assert.ok(Math.abs(meter.fastest.ofAll - 1_500_000) < 2000, `${meter.fastest.ofAll}`);
});

test('the time between crossings does not count', () => {
  const meter = new LineMeter();
  for (const from of [0, 10_000]) cross(meter, from, 1_000_000);
  assert.equal(meter.fastest.ofAll, 1_000_000);
});

test('a line that becomes faster is followed at once, one that becomes slower within two windows', () => {
  const meter = new LineMeter();
  cross(meter, 0, 1_000_000);
  cross(meter, 2000, 2_000_000);
  assert.equal(meter.fastest.ofAll, 2_000_000);
  for (let now = 4000; now < 2 * LINE_WINDOW_MS; now += 2000) cross(meter, now, 500_000);
  assert.equal(meter.fastest.ofAll, 2_000_000, 'a slow crossing may share the line');
  for (let now = 2 * LINE_WINDOW_MS; now <= 3 * LINE_WINDOW_MS; now += 2000) cross(meter, now, 500_000);
  assert.equal(meter.fastest.ofAll, 500_000);
});

test('while the line is never idle, its rate is known too, and followed', () => {
  const meter = new LineMeter();
  meter.begin(0);
  for (let now = 1000; now <= 4 * LINE_WINDOW_MS; now += 1000) {
    meter.begin(now - 1);
    meter.count(now <= LINE_WINDOW_MS ? 1_000_000 : 500_000);
    meter.end(now);
  }
  assert.equal(meter.fastest.ofAll, 500_000);
});

test('after a pause what was known is known still', () => {
  const meter = new LineMeter();
  cross(meter, 0, 1_000_000);
  cross(meter, 10 * LINE_WINDOW_MS, 500_000);
  assert.equal(meter.fastest.ofAll, 1_000_000);
});

test('what others measured counts, and is not told on', () => {
  const meter = new LineMeter();
  meter.heard(0, 0);
  assert.deepEqual(meter.fastest, UNKNOWN);
  cross(meter, 0, 700_000);
  meter.heard(1500, 1_000_000);
  assert.deepEqual(meter.fastest, { ours: 700_000, ofAll: 1_000_000 });
});

test('the rate is that of the fastest crossing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 200_000, max: 20_000_000 }), { minLength: 1, maxLength: 10 }), (rates) => {
      const meter = new LineMeter();
      for (const [i, rate] of rates.entries()) cross(meter, 1000 * i, rate);
      assert.equal(meter.fastest.ofAll, Math.max(...rates));
    }),
  );
});

test('who measured nothing and says so makes nobody forget', () => {
  const meter = new LineMeter();
  cross(meter, 0, 1_000_000);
  for (let now = 1000; now < 10 * LINE_WINDOW_MS; now += 1000) meter.heard(now, 0);
  assert.equal(meter.fastest.ofAll, 1_000_000);
});
