/** Assets that nobody wanted any more when a part of them was checked: it is kept for a while, for who seeks comes back, and a player reads in pieces. Owned by Assets. */
import type { Digest } from '../../protocol/ids.ts';
import { MAX_UNFINISHED, UNFINISHED_FOR_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { UnderWay } from './under-way.ts';

export class Unfinished {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<Digest, { readonly underWay: UnderWay; readonly forget: () => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(underWay: UnderWay): void {
    const { blocks, name, leaves, withheld } = underWay;
    if (!leaves || withheld || blocks.checked === 0 || blocks.complete) return;
    this.take(name.digest);
    const forget = this.#clock.after(UNFINISHED_FOR_MS, () => this.#kept.delete(name.digest));
    this.#kept.set(name.digest, { underWay, forget });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_UNFINISHED) break;
      this.take(oldest);
    }
  }

  /** What there is of it, which is kept no longer. */
  take(digest: Digest): UnderWay | undefined {
    const kept = this.#kept.get(digest);
    kept?.forget();
    this.#kept.delete(digest);
    return kept?.underWay;
  }
}
