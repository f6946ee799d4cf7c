/**
 * What the line from the origin carries, measured while something crosses it, here and at others of our site. Whatever else is on the line
 * makes a crossing look slower than the line is, and little makes it look faster (the browser's cache does), so the fastest of the last crossings tells. The filter is
 * that of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016). Owned by the Crossings.
 */
import { LINE_SAMPLE_BYTES, LINE_WINDOW_MS } from './limits.ts';

/** Bytes per second; 0: not known. */
interface Fastest {
  /** Of our own crossings, to be told to others: what was only heard would go round for ever. */
  readonly ours: number;
  readonly ofAll: number;
}

const NOTHING: Fastest = { ours: 0, ofAll: 0 };

export class LineMeter {
  #active = 0;
  #since = 0;
  #bytes = 0;
  #window = NOTHING;
  #windowBefore = NOTHING;
  #windowEnds = 0;

  /** What the line carries, as far as we know. */
  get fastest(): Fastest {
    return faster(this.#window, this.#windowBefore);
  }

  begin(now: number): void {
    if (this.#active++ === 0) this.#restart(now);
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Counts from when the line was idle here: who was held up reads at once what has come in the meantime. */
  end(now: number): void {
    this.#active--;
    const time = now - this.#since;
    if (this.#bytes < LINE_SAMPLE_BYTES || time <= 0) return;
    const rate = (1000 * this.#bytes) / time;
    this.#note(now, { ours: rate, ofAll: rate });
    if (time > LINE_WINDOW_MS) this.#restart(now);
  }

  /** Another of our site says what it measured, bytes per second; 0: nothing. */
  heard(now: number, rate: number): void {
    if (rate > 0) this.#note(now, { ours: 0, ofAll: rate });
  }

  #restart(now: number): void {
    this.#since = now;
    this.#bytes = 0;
  }

  #note(now: number, sample: Fastest): void {
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + LINE_WINDOW_MS;
      this.#windowBefore = this.#window;
      this.#window = NOTHING;
    }
    this.#window = faster(this.#window, sample);
  }
}

const faster = (a: Fastest, b: Fastest): Fastest => ({
  ours: Math.max(a.ours, b.ours),
  ofAll: Math.max(a.ofAll, b.ofAll),
});
