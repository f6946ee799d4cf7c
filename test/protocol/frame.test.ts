import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { P2PError } from '../../protocol/error.ts';
import { FrameAssembler, FrameWriter, type Frame } from '../../protocol/frame.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, MAX_OPEN_FRAMES, MIN_MESSAGE_BYTES } from '../../protocol/limits.ts';
import { parsePeerMessage } from '../../protocol/peer-message.ts';
import { fragmentsOf } from './fragments.ts';

const bytes = (constraints: fc.IntArrayConstraints = {}): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc.uint8Array(constraints).map((array) => Uint8Array.from(array));

const uint32 = fc.nat(2 ** 32 - 1);

const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    type: fc.nat(255),
    request: uint32,
    payload: fc.oneof(
      bytes({ maxLength: 200 }),
      fc.nat(MAX_FRAME_BYTES).map((length) => new Uint8Array(length).fill(length)),
    ),
  },
  { noNullPrototype: true },
);

/** A header as it stands on the wire. */
function header(
  fields: { type?: number; reserved?: number; length?: number; offset?: number },
  part: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const message = Buffer.alloc(FRAME_HEADER_BYTES + part.length);
  message.writeUInt8(fields.type ?? 6, 0);
  message.writeUIntBE(fields.reserved ?? 0, 1, 3);
  message.writeUInt32BE(1, 4);
  message.writeUInt32BE(fields.length ?? part.length, 8);
  message.writeUInt32BE(fields.offset ?? 0, 12);
  message.set(part, FRAME_HEADER_BYTES);
  return Uint8Array.from(message);
}

const isBadFrame = (error: unknown): boolean => error instanceof P2PError && error.code === 'bad-frame';

test('a frame that is cut into messages of any size is put together again, and no message is longer', () => {
  fc.assert(
    fc.property(anyFrame, fc.integer({ min: MIN_MESSAGE_BYTES, max: 2 * MAX_FRAME_BYTES }), (frame, most) => {
      const assembler = new FrameAssembler();
      const parts = [...fragmentsOf(frame, most)];
      const last = parts.pop()!;
      for (const part of parts) assert.equal(assembler.accept(part), null);
      assert.deepEqual(assembler.accept(last), frame);
      for (const part of [...parts, last]) assert.ok(part.length <= most);
    }),
  );
});

test('a frame in pieces goes as the same messages as one whose pieces were put together first', () => {
  fc.assert(
    fc.property(
      fc.array(bytes({ maxLength: 300 }), { maxLength: 4 }),
      fc.integer({ min: FRAME_HEADER_BYTES + 1, max: 500 }),
      (pieces, most) => {
        const writer = new FrameWriter({ type: 6, request: 3, pieces });
        const written: Uint8Array[] = [];
        while (!writer.done) {
          // memory that was used before
          const message = new Uint8Array(writer.nextBytes(most)).fill(0xff);
          writer.write(message);
          written.push(message);
        }
        const payload = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
        assert.deepEqual(written, [...fragmentsOf({ type: 6, request: 3, payload }, most)]);
      },
    ),
  );
});

test('the messages of one frame may be of different lengths', () => {
  const payload = Uint8Array.from({ length: 1000 }, (_, i) => i);
  const writer = new FrameWriter({ type: 6, request: 3, pieces: [payload.subarray(0, 4), payload.subarray(4)] });
  const assembler = new FrameAssembler();
  for (const most of [20, 500, 17, 2000]) {
    const message = new Uint8Array(writer.nextBytes(most));
    writer.write(message);
    const frame = assembler.accept(message);
    assert.deepEqual(frame, writer.done ? { type: 6, request: 3, payload } : null);
  }
  assert.ok(writer.done);
});

test('frames whose parts come between each other are put together each for itself', () => {
  const frames = fc.uniqueArray(anyFrame, {
    minLength: 2,
    maxLength: MAX_OPEN_FRAMES,
    selector: ({ type, request }) => `${type} ${request}`,
  });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.nat(1000)), (all, picks) => {
      const assembler = new FrameAssembler();
      const queues = all.map((frame) => [...fragmentsOf(frame, MIN_MESSAGE_BYTES)]);
      const done: Frame[] = [];
      for (
        let open = queues.filter((queue) => queue.length > 0);
        open.length > 0;
        open = queues.filter((queue) => queue.length > 0)
      ) {
        const frame = assembler.accept(open[picks.next().value! % open.length]!.shift()!);
        if (frame) done.push(frame);
      }
      const order = ({ type, request }: Frame): number => type * 2 ** 32 + request;
      assert.deepEqual(
        done.sort((a, b) => order(a) - order(b)),
        [...all].sort((a, b) => order(a) - order(b)),
      );
    }),
    { numRuns: 40 },
  );
});

test('whatever bytes come, nothing but a P2PError is thrown', () => {
  const almost = fc
    .record({
      type: fc.nat(12),
      reserved: fc.constantFrom(0, 0, 0, 1),
      length: fc.oneof(fc.nat(70), uint32),
      offset: fc.oneof(fc.nat(70), uint32),
    })
    .chain((fields) => bytes({ maxLength: 80 }).map((part) => header(fields, part)));
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes({ maxLength: 64 }), almost), { maxLength: 30 }), (messages) => {
      const assembler = new FrameAssembler();
      for (const message of messages) {
        try {
          const frame = assembler.accept(message);
          if (frame) parsePeerMessage(frame);
        } catch (error) {
          if (!isBadFrame(error)) throw error;
        }
      }
    }),
    { numRuns: 500 },
  );
});

for (const [what, message] of [
  ['no bytes', new Uint8Array(0)],
  ['one byte less than a header', header({}).slice(1)],
  ['reserved bytes in use', header({ reserved: 1 }, new Uint8Array(4))],
  ['reserved bytes in use at the top', header({ reserved: 0x800000 }, new Uint8Array(4))],
  ['a payload above the limit', header({ length: MAX_FRAME_BYTES + 1 }, new Uint8Array(4))],
  ['a part that runs past its payload', header({ length: 4, offset: 1 }, new Uint8Array(4))],
  ['a first part that does not begin at 0', header({ length: 10, offset: 4 }, new Uint8Array(4))],
  ['a part of no bytes', header({ length: 10, offset: 0 })],
] as const) {
  test(`a message with ${what} is refused`, () => {
    assert.throws(() => new FrameAssembler().accept(message), isBadFrame);
  });
}

test('parts out of order, twice, or of another length are refused', () => {
  const frame: Frame = { type: 6, request: 1, payload: new Uint8Array(3 * MIN_MESSAGE_BYTES) };
  const [first, second, third] = [...fragmentsOf(frame, MIN_MESSAGE_BYTES)];
  const after = (...taken: (Uint8Array<ArrayBuffer> | undefined)[]): FrameAssembler => {
    const assembler = new FrameAssembler();
    for (const part of taken) assert.equal(assembler.accept(part!), null);
    return assembler;
  };
  assert.throws(() => after(first).accept(third!), isBadFrame);
  assert.throws(() => after(first, second).accept(second!), isBadFrame);
  assert.throws(() => after(first).accept(first!), isBadFrame);
  const longer = second!.slice();
  new DataView(longer.buffer).setUint32(8, frame.payload.length + 1);
  assert.throws(() => after(first).accept(longer), isBadFrame);
});

test('half-arrived frames are limited in number, and finished ones make room', () => {
  const frame = (request: number): Frame => ({ type: 6, request, payload: new Uint8Array(MIN_MESSAGE_BYTES) });
  const parts = Array.from({ length: MAX_OPEN_FRAMES + 1 }, (_, request) => [
    ...fragmentsOf(frame(request), MIN_MESSAGE_BYTES),
  ]);
  const assembler = new FrameAssembler();
  for (const [first] of parts.slice(0, -1)) assert.equal(assembler.accept(first!), null);
  assert.throws(() => assembler.accept(parts.at(-1)![0]!), isBadFrame);
  assert.ok(assembler.accept(parts[0]![1]!));
  assert.equal(assembler.accept(parts.at(-1)![0]!), null);
});

test('a frame without payload is one message', () => {
  assert.deepEqual(
    [...fragmentsOf({ type: 9, request: 5, payload: new Uint8Array(0) }, MIN_MESSAGE_BYTES)],
    [Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0)],
  );
});

test('each message tells of which frame bytes came, also one inside a larger buffer', () => {
  const moved: number[][] = [];
  const assembler = new FrameAssembler((...frame) => moved.push(frame));
  for (const message of fragmentsOf({ type: 6, request: 77, payload: new Uint8Array(30) }, FRAME_HEADER_BYTES + 20)) {
    const padded = new Uint8Array(40);
    padded.set(message, 3);
    assembler.accept(padded.subarray(3, 3 + message.length));
  }
  assert.deepEqual(moved, [
    [6, 77, FRAME_HEADER_BYTES + 20],
    [6, 77, FRAME_HEADER_BYTES + 10],
  ]);
});
