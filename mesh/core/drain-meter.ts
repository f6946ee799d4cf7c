/** How fast a channel carries what it is given, and so how long a message may be. Owned by a Wire. */
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../protocol/limits.ts';
import { FIRST_MESSAGE_BYTES, MESSAGE_MS } from './limits.ts';

export class DrainMeter {
  #since = 0;
  #bytes = 0;
  #messageBytes = FIRST_MESSAGE_BYTES;

  /** Bytes of a message that the channel carries in MESSAGE_MS, within bounds. */
  get messageBytes(): number {
    return this.#messageBytes;
  }

  /** Bytes are handed to the channel, which had so many before: one that was empty begins to work. */
  send(bytes: number, bufferedBefore: number, now: number): void {
    if (bufferedBefore === 0) this.#begin(0, now);
    this.#bytes += bytes;
  }

  /** The channel has only so many bytes left, and was busy until now. */
  drained(buffered: number, now: number): void {
    const time = now - this.#since;
    const carried = ((this.#bytes - buffered) * MESSAGE_MS) / time;
    if (time > 0) this.#messageBytes = Math.max(MIN_MESSAGE_BYTES, Math.min(MAX_MESSAGE_BYTES, Math.floor(carried)));
    this.#begin(buffered, now);
  }

  #begin(bytes: number, now: number): void {
    this.#bytes = bytes;
    this.#since = now;
  }
}
