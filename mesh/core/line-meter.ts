/** What the line from the origin carries, measured while something crosses it, here or at others of our site. Owned by the Crossings. */
import { LINE_SAMPLE_BYTES, LINE_SAMPLE_SHARE } from './limits.ts';

export class LineMeter {
  /** Bytes per second; 0: not known yet. */
  rate = 0;
  #active = 0;
  #since = 0;
  #bytes = 0;
  #shared = false;

  /** @param shared does another of our site cross as well? Then what comes is a part of what the line carries. */
  begin(now: number, shared: boolean): void {
    if (this.#active++ > 0) return;
    this.#since = now;
    this.#bytes = 0;
    this.#shared = shared;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  end(now: number): void {
    this.#active--;
    const time = now - this.#since;
    if (this.#bytes < LINE_SAMPLE_BYTES || time <= 0) return;
    this.#sample((1000 * this.#bytes) / time, this.#shared);
    this.#since = now;
    this.#bytes = 0;
  }

  /**
   * Another of our site has something under way.
   * @param rate what it knows of the line, bytes per second; 0: nothing
   * @param crosses does it bring that over the line?
   */
  heard(rate: number, crosses: boolean): void {
    this.#shared ||= crosses;
    if (rate > 0) this.#sample(rate, false);
  }

  /** @param atLeast the line carries more than that, nobody knows how much */
  #sample(rate: number, atLeast: boolean): void {
    if (rate > this.rate || !atLeast) this.rate += (this.rate > 0 ? LINE_SAMPLE_SHARE : 1) * (rate - this.rate);
  }
}
