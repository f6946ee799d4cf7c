/** Assets that nobody wanted any more when a part of them was checked: it is kept for a while, for who seeks comes back, and a player reads in pieces. Owned by the SharedTransfers. */
import type { AssetName, Digest, Sha256 } from '../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import type { Begun } from '../../protocol/page.ts';
import { MAX_UNFINISHED, UNFINISHED_FOR_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import { UnderWay } from './under-way.ts';

export class Unfinished {
  readonly #clock: Clock;
  readonly #sha256: Sha256;
  /** Oldest first. */
  readonly #kept = new Map<Digest, { readonly underWay: UnderWay; readonly forget: () => void }>();

  constructor(clock: Clock, sha256: Sha256) {
    this.#clock = clock;
    this.#sha256 = sha256;
  }

  /** Keeps what another engine had of an asset, as far as it is right. */
  async add(name: AssetName, { bytes, leaves }: Begun): Promise<void> {
    const underWay = new UnderWay(name, this.#sha256, { progress: () => undefined, abandoned: () => undefined });
    if (!(await underWay.takeLeaves(name.size, new Uint8Array(leaves)))) return;
    const begun = new Uint8Array(await new Blob([...bytes]).arrayBuffer());
    for (let index = 0; (index + 1) * BLOCK_BYTES <= begun.length; index++)
      await underWay.takeBlock(index, begun.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
    this.keep(underWay);
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
