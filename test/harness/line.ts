/** A line of a given rate in front of a server: what crosses it takes turns, as on an uplink that many share. */
import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** Bytes that cross at a time. Small, so that whoever comes while a large answer is on its way waits for one piece, not for the answer. */
const PIECE_BYTES = 8 * 1024;

export class Line {
  readonly #bytesPerMs: number;
  /** When what was let in so far has crossed, on `performance.now()`. */
  #freeAt = 0;

  /** @param rate bits per second */
  constructor(rate: number) {
    this.#bytesPerMs = rate / 8000;
  }

  /** Resolves when so many bytes have crossed, behind all that were let in before. */
  async cross(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs;
    await delay(this.#freeAt - now);
  }

  /** One answer's way over the line. What is left of it when it is destroyed does not cross. */
  carry(): Transform {
    const carrier: Transform = new Transform({
      transform: (chunk: Buffer, _encoding, done) => void this.#pass(chunk, carrier, done),
    });
    return carrier;
  }

  async #pass(chunk: Buffer, carrier: Transform, done: TransformCallback): Promise<void> {
    const isWanted = (): boolean => !carrier.destroyed;
    for (let start = 0; start < chunk.length && isWanted(); start += PIECE_BYTES) {
      const piece = chunk.subarray(start, start + PIECE_BYTES);
      await this.cross(piece.length);
      if (isWanted()) carrier.push(piece);
    }
    done();
  }
}
