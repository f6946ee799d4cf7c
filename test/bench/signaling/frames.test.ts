import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { FrameReader, textFrame } from '../../../bench/signaling/frames.ts';

/** Its types leave them out. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: object) => Writable;
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 70_000];

test('what is sent is a masked frame that a server reads', async () => {
  for (const length of LENGTHS) {
    const text = 'ö'.repeat(length >> 1) + 'x'.repeat(length & 1);
    const frame = textFrame(text);
    assert.ok((frame[1]! & 0x80) !== 0, 'masked');
    const receiver = new Receiver({ isServer: true });
    const read = new Promise((resolve, reject) => receiver.on('message', resolve).on('error', reject));
    receiver.write(frame);
    assert.equal(String(await read), text, String(length));
  }
});

test('frames are read whole, however they are cut on the way', () => {
  const frame = (text: string, opcode: number): Buffer =>
    Buffer.concat(Sender.frame(Buffer.from(text), { fin: true, rsv1: false, opcode, mask: false, readOnly: true }));
  const message = fc.record({
    opcode: fc.constantFrom(1, 2, 8, 9),
    text: fc.constantFrom(...LENGTHS).chain((length) => fc.constant('y'.repeat(length))),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 3000 })), (messages, cuts) => {
      let bytes = Buffer.concat(messages.map(({ text, opcode }) => frame(text, opcode)));
      const reader = new FrameReader();
      const seen: { opcode: number; text: string }[] = [];
      const take = (opcode: number, payload: Buffer) => void seen.push({ opcode, text: payload.toString() });
      const shared = Buffer.alloc(bytes.length + 1);
      for (const cut of [...cuts, bytes.length]) {
        // as the sockets of the generator do, which read into one buffer
        const chunk = shared.subarray(0, bytes.copy(shared, 0, 0, cut));
        reader.push(chunk, take);
        shared.fill(0);
        bytes = bytes.subarray(cut);
      }
      assert.deepEqual(
        seen,
        messages.map(({ opcode, text }) => ({ opcode, text })),
      );
    }),
    { numRuns: 50 },
  );
});
