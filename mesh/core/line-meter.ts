/** What the line from the origin carries, measured while something crosses it. Owned by the Crossings. */
import { LINE_SAMPLE_BYTES, LINE_SAMPLE_SHARE } from './limits.ts';

export class LineMeter {
  #active = 0;
  #since = 0;
  #bytes = 0;
  #rate: number | null = null;

  /** Bytes per millisecond; null: not known yet. */
  get rate(): number | null {
    return this.#rate;
  }

  begin(now: number): void {
    if (this.#active++ > 0) return;
    this.#since = now;
    this.#bytes = 0;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  end(now: number): void {
    this.#active--;
    const time = now - this.#since;
    if (this.#bytes < LINE_SAMPLE_BYTES || time <= 0) return;
    const rate = this.#bytes / time;
    this.#rate = this.#rate === null ? rate : this.#rate + LINE_SAMPLE_SHARE * (rate - this.#rate);
    this.#since = now;
    this.#bytes = 0;
  }
}
