/** Holds a rate: what a flow may send now, and how long it has to wait. A bucket as in RFC 2697, with bytes as tokens. */
export class TokenBucket {
  readonly #bytesPerMillisecond: number;
  readonly #depth: number;
  #tokens: number;
  #filledAt: number;

  /** @param bitsPerSecond the rate @param depth bytes that may go at once after a pause */
  constructor(bitsPerSecond: number, depth: number, now: number) {
    this.#bytesPerMillisecond = bitsPerSecond / 8000;
    this.#depth = depth;
    this.#tokens = depth;
    this.#filledAt = now;
  }

  /** Milliseconds until `bytes` may go; 0: they are taken and may go now. */
  take(bytes: number, now: number): number {
    this.#tokens = Math.min(this.#depth, this.#tokens + (now - this.#filledAt) * this.#bytesPerMillisecond);
    this.#filledAt = now;
    const missing = Math.min(bytes, this.#depth) - this.#tokens;
    if (missing > 0) return Math.ceil(missing / this.#bytesPerMillisecond);
    this.#tokens -= bytes;
    return 0;
  }
}
