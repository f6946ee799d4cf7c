import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EarlyStart } from '../../../components/hls/early-start.ts';

/** A segment of 4 s and 100 bytes; each chunk is `[milliseconds, bytes]`. Returns how many bytes were given after each. */
function given(chunks: readonly (readonly [number, number])[], { size = 100, duration = 4 } = {}): number[] {
  let bytes = 0;
  const early = new EarlyStart(size, duration, (chunk) => (bytes += chunk.byteLength));
  return chunks.map(([at, length]) => {
    early.take(new ArrayBuffer(length), at);
    return bytes;
  });
}

test('a segment that comes fast is given from its second chunk on, and all that came before', () => {
  assert.deepEqual(
    given([
      [0, 30],
      [100, 20],
      [200, 20],
    ]),
    [0, 50, 70],
  );
});

test('one chunk tells no rate, however large it is', () => {
  assert.deepEqual(given([[500, 90]]), [0]);
});

test('less than a second and a half of film is not given', () => {
  assert.deepEqual(
    given([
      [0, 10],
      [50, 27],
      [51, 1],
    ]),
    [0, 0, 38],
  );
});

test('where this segment and the next would take more than three quarters of what it lasts, it is given when it is whole', () => {
  // 20 bytes in 390 ms: 150 more, 50 of this one and 100 of the next, take 2.9 s; in 410 ms they take 3.1 s of the 3 allowed.
  assert.deepEqual(
    given([
      [0, 30],
      [390, 20],
    ]),
    [0, 50],
  );
  assert.deepEqual(
    given([
      [0, 30],
      [410, 20],
    ]),
    [0, 0],
  );
});

test('what came all at once because neighbours had it counts for nothing in the rate', () => {
  // 80 bytes lay there; then 5 in a second. The other 115 would take 23 s.
  assert.deepEqual(
    given([
      [0, 80],
      [1000, 5],
    ]),
    [0, 0],
  );
});

test('once begun it goes on, also where the line gets slow', () => {
  assert.deepEqual(
    given([
      [0, 30],
      [100, 20],
      [5000, 5],
    ]),
    [0, 50, 55],
  );
});

test('chunks without bytes change nothing', () => {
  assert.deepEqual(
    given([
      [0, 0],
      [1000, 30],
      [1000, 0],
      [1100, 20],
    ]),
    [0, 0, 0, 50],
  );
});
