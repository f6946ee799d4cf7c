import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { textFrame } from '../../../../server/signaling/transport/text-frame.ts';

/** Its types leave it out. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const bytesOf = (frame: string): Buffer => Buffer.from(frame, 'latin1');

/** What the reader of ws, as a client, makes of it. */
function read(frame: Buffer): Promise<string> {
  const receiver = new Receiver({ isServer: false });
  return new Promise((resolve, reject) => {
    receiver.on('message', (data: Buffer, isBinary: boolean) =>
      isBinary ? reject(new Error('binary')) : resolve(data.toString()),
    );
    receiver.on('error', reject);
    receiver.write(frame);
  });
}

test('any text comes back as it was, whatever its length and letters', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 300 }), async (text, times) => {
      const long = text.repeat(times);
      assert.equal(await read(bytesOf(textFrame(long))), long);
    }),
    { numRuns: 200 },
  );
});

test('at each border of the length field the text comes back', async () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
    for (const letter of ['x', 'é']) {
      const text = letter.repeat(length);
      assert.equal(await read(bytesOf(textFrame(text))), text, `${length} of ${letter}`);
    }
});

test('each character stands for a byte, so that frames can be joined', () => {
  assert.equal(textFrame('2'), '\x81\x012');
  assert.equal(textFrame('é'), '\x81\x02\xc3\xa9');
});
