import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../../mesh/core/token-bucket.ts';

test('its depth may go at once, and then the rate holds', () => {
  const bucket = new TokenBucket(8000, 100, 0);
  assert.equal(bucket.take(100, 0), 0);
  assert.equal(bucket.take(10, 0), 10);
  assert.equal(bucket.take(10, 9), 1);
  assert.equal(bucket.take(10, 10), 0);
});

test('a refusal takes nothing', () => {
  const bucket = new TokenBucket(8000, 100, 0);
  bucket.take(100, 0);
  for (let i = 0; i < 50; i++) assert.equal(bucket.take(50, 10), 40);
  assert.equal(bucket.take(50, 50), 0);
});

test('a long pause saves up no more than the depth', () => {
  const bucket = new TokenBucket(8000, 100, 0);
  assert.equal(bucket.take(100, 1_000_000), 0);
  assert.ok(bucket.take(1, 1_000_000) > 0);
});

test('more than the depth may go when the bucket is full, and is paid for afterwards', () => {
  const bucket = new TokenBucket(8000, 100, 0);
  assert.equal(bucket.take(250, 0), 0);
  assert.equal(bucket.take(100, 0), 250);
});

test('who waits as long as he is told may then go', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 100_000_000 }),
      fc.integer({ min: 64, max: 65_536 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 30 }),
      (rate, depth, sizes) => {
        const bucket = new TokenBucket(rate, depth, 0);
        let now = 0;
        for (const size of sizes) {
          const wait = bucket.take(size, now);
          now += wait;
          // Rounding may leave a breath of a byte missing.
          if (wait > 0) now += bucket.take(size, now) > 0 ? 1 : 0;
        }
        const sent = sizes.reduce((sum, size) => sum + size, 0);
        assert.ok(now === 0 || sent / now <= (rate / 8000) * 1.001 + (depth + 40_000) / now);
      },
    ),
  );
});

test('over any time no more goes than rate and depth allow', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8000, max: 10_000_000 }),
      fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 1000 })), { maxLength: 100 }),
      (rate, steps) => {
        const bucket = new TokenBucket(rate, 1000, 0);
        let now = 0;
        let sent = 0;
        for (const [pause, size] of steps) {
          now += pause;
          if (bucket.take(size, now) === 0) sent += size;
          assert.ok(sent <= 1000 + (now * rate) / 8000 + 1e-6, `${sent} bytes in ${now} ms`);
        }
      },
    ),
  );
});
