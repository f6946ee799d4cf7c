import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fromHex, isHex, toHex } from '../../protocol/hex.ts';

test('bytes go to hex and back, as Buffer has it', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = toHex(bytes);
      assert.equal(text, Buffer.from(bytes).toString('hex'));
      assert.deepEqual([...fromHex(text)], [...bytes]);
      assert.equal(isHex(text, bytes.length), bytes.length > 0);
    }),
  );
});

test('only lower-case digits of the right number are hex', () => {
  assert.equal(isHex('00ff', 2), true);
  for (const value of [
    '00FF',
    '00f',
    '00fff',
    '00fg',
    '00f\n',
    ' 0ff',
    '',
    null,
    undefined,
    255,
    ['00ff'],
    { length: 4 },
  ])
    assert.equal(isHex(value, 2), false, JSON.stringify(value));
});
