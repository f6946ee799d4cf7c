/**
 * One data-channel message is a fixed header and a part of a frame's payload (docs/wire.md):
 *
 *     0       1       2       4               8               12              16
 *     | type  | 0     | 0     | request id    | payload bytes | part's offset | part …
 *
 * all big endian. A frame that does not fit into one message goes as several, in order; parts of other frames may come between them.
 */
import { P2PError } from './error.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, MAX_OPEN_FRAMES } from './limits.ts';

export interface Frame {
  readonly type: number;
  /** Ties an answer to its question; 0 where there is none. */
  readonly request: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A frame on its way out: its payload as it lies in memory, in one piece or several. */
export interface FrameInPieces {
  readonly type: number;
  readonly request: number;
  readonly pieces: readonly Uint8Array[];
}

/** Writes a frame as messages, one after the other, without putting its pieces together first. */
export class FrameWriter {
  readonly #frame: FrameInPieces;
  readonly #length: number;
  #offset = 0;
  #isBegun = false;

  constructor(frame: FrameInPieces) {
    this.#frame = frame;
    this.#length = frame.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  get done(): boolean {
    return this.#isBegun && this.#offset >= this.#length;
  }

  /** Bytes of the next message, if it may have `most`. */
  nextBytes(most: number): number {
    if (most <= FRAME_HEADER_BYTES) throw badFrame(`messages of more than ${FRAME_HEADER_BYTES} bytes`, most);
    return Math.min(most, FRAME_HEADER_BYTES + this.#length - this.#offset);
  }

  /** Fills `message` with the next part; its length is to be at most `nextBytes`. */
  write(message: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(message.buffer, message.byteOffset);
    view.setUint32(0, 0);
    view.setUint8(0, this.#frame.type);
    view.setUint32(4, this.#frame.request);
    view.setUint32(8, this.#length);
    view.setUint32(12, this.#offset);
    this.#copy(message.subarray(FRAME_HEADER_BYTES));
    this.#offset += message.length - FRAME_HEADER_BYTES;
    this.#isBegun = true;
  }

  /** The payload from the offset on. */
  #copy(part: Uint8Array): void {
    let before = 0;
    let filled = 0;
    for (const piece of this.#frame.pieces) {
      const from = Math.max(0, this.#offset + filled - before);
      const bytes = piece.subarray(from, from + part.length - filled);
      part.set(bytes, filled);
      filled += bytes.length;
      before += piece.length;
    }
  }
}

/** Puts one neighbour's messages together again. Holds at most MAX_OPEN_FRAMES half-arrived frames. */
export class FrameAssembler {
  readonly #open = new Map<string, { readonly payload: Uint8Array<ArrayBuffer>; filled: number }>();
  readonly #moves: (type: number, request: number, bytes: number) => void;

  /** @param moves told of each message: so many bytes of such a frame came, the header among them */
  constructor(moves: (type: number, request: number, bytes: number) => void = () => undefined) {
    this.#moves = moves;
  }

  /**
   * Takes one message; returns the frame that it completes, or null.
   * @throws P2PError `bad-frame` for a wrong header, a part out of order, or too much at once; the neighbour is then of no use any more
   */
  accept(untrustedMessage: Uint8Array<ArrayBuffer>): Frame | null {
    const { type, request, length, offset, part } = readHeader(untrustedMessage);
    this.#moves(type, request, untrustedMessage.length);
    if (part.length === length && offset === 0) return { type, request, payload: part };
    if (part.length === 0) throw badFrame('a part of at least one byte', part.length);
    const key = `${type} ${request}`;
    const open = this.#open.get(key) ?? this.#begin(key, length);
    if (offset !== open.filled || length !== open.payload.length)
      throw badFrame(`the part at ${open.filled} of ${open.payload.length}`, `${offset} of ${length}`);
    open.payload.set(part, offset);
    open.filled += part.length;
    if (open.filled < length) return null;
    this.#open.delete(key);
    return { type, request, payload: open.payload };
  }

  #begin(key: string, length: number): { readonly payload: Uint8Array<ArrayBuffer>; filled: number } {
    if (this.#open.size >= MAX_OPEN_FRAMES)
      throw badFrame(`at most ${MAX_OPEN_FRAMES} frames at a time`, this.#open.size + 1);
    const open = { payload: new Uint8Array(length), filled: 0 };
    this.#open.set(key, open);
    return open;
  }
}

function readHeader(message: Uint8Array<ArrayBuffer>): {
  type: number;
  request: number;
  length: number;
  offset: number;
  part: Uint8Array<ArrayBuffer>;
} {
  if (message.length < FRAME_HEADER_BYTES) throw badFrame(`at least ${FRAME_HEADER_BYTES} bytes`, message.length);
  const view = new DataView(message.buffer, message.byteOffset);
  const reserved = view.getUint8(1) | view.getUint16(2);
  if (reserved !== 0) throw badFrame('reserved bytes of 0', reserved);
  const length = view.getUint32(8);
  if (length > MAX_FRAME_BYTES) throw badFrame(`a payload of at most ${MAX_FRAME_BYTES} bytes`, length);
  const offset = view.getUint32(12);
  const part = message.subarray(FRAME_HEADER_BYTES);
  if (offset + part.length > length) throw badFrame(`a part within ${length} bytes`, offset + part.length);
  return { type: view.getUint8(0), request: view.getUint32(4), length, offset, part };
}

export function badFrame(expected: string, got: unknown): P2PError {
  return new P2PError('bad-frame', `Dropped a neighbour: expected ${expected}, got ${String(got)}.`, { expected, got });
}
