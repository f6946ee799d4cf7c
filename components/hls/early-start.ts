/** A segment is played while it comes, where the line is so fast that nothing stalls for it: the first picture need not wait for the last byte. */
import { EARLY_SECONDS, EARLY_SHARE } from './limits.ts';

export class EarlyStart {
  readonly #size: number;
  readonly #duration: number;
  readonly #give: (chunk: ArrayBuffer) => void;
  /** Not given yet. */
  #held: ArrayBuffer[] = [];
  #loaded = 0;
  /** When the first bytes came, and how many; what comes after them tells the rate. */
  #first: { readonly at: number; readonly bytes: number } | null = null;
  #given = false;

  /**
   * @param size bytes of the segment
   * @param duration its seconds
   * @param give gets the bytes in order, once some of them may be played
   */
  constructor(size: number, duration: number, give: (chunk: ArrayBuffer) => void) {
    this.#size = size;
    this.#duration = duration;
    this.#give = give;
  }

  /** @param now milliseconds, of any clock */
  take(chunk: ArrayBuffer, now: number): void {
    if (chunk.byteLength === 0) return;
    this.#loaded += chunk.byteLength;
    this.#first ??= { at: now, bytes: this.#loaded };
    this.#held.push(chunk);
    this.#given ||= this.#mayPlay(this.#first, now);
    if (this.#given) for (const held of this.#held.splice(0)) this.#give(held);
  }

  /** At the rate so far, is the next segment here before this one is played, with time to spare? Then so is the rest of this one. */
  #mayPlay({ at, bytes }: { readonly at: number; readonly bytes: number }, now: number): boolean {
    const seconds = (((now - at) / 1000) * (2 * this.#size - this.#loaded)) / (this.#loaded - bytes); // Infinity at first
    const content = (this.#duration * this.#loaded) / this.#size;
    return content >= EARLY_SECONDS && seconds <= EARLY_SHARE * this.#duration;
  }
}
