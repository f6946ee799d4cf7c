/** WebSocket frames as a client sees them (RFC 6455, section 5), by hand: a generator that holds 10,000 connections can't afford a library for each. */

const TEXT = 1;
/** FIN with the opcode. */
const FINAL = 0x80;
const MASKED = 0x80;
/** A client must mask; with which key matters to nobody here, as long as the server has to unmask. */
const KEY = [0x5a, 0xc3, 0x0f, 0x96] as const;

/** One text message as one masked frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < 126 ? 6 : length < 65_536 ? 8 : 14;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL | TEXT;
  if (length < 126) frame[1] = MASKED | length;
  else if (length < 65_536) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(KEY, start - 4);
  frame.write(text, start);
  for (let at = 0; at < length; at++) frame[start + at] = (frame[start + at] ?? 0) ^ (KEY[at & 3] ?? 0);
  return frame;
}

/** Cuts what a server sends into frames. Keeps bytes only of a frame that has not come whole. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** @param take gets the opcode and the payload, which is valid only during the call */
  push(chunk: Buffer, take: (opcode: number, payload: Buffer) => void): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = frameEnd(bytes);
      if (end === undefined || end.end > bytes.length) break;
      take((bytes[0] ?? 0) & 0x0f, bytes.subarray(end.start, end.end));
      bytes = bytes.subarray(end.end);
    }
    // a copy: the chunk's memory is the reader's of the next socket
    this.#rest = bytes.length === 0 ? undefined : Buffer.from(bytes);
  }
}

/** Where the payload of the first frame starts and ends; undefined: its header has not come whole. */
function frameEnd(bytes: Buffer): { start: number; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { start, end: start + length };
}
