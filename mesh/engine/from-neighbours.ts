/** One asset's ways from neighbours: those of our site, and those of others over the line. Made for a transfer's Sources. */
import { FromOutside, type OutsideOutcome } from './from-outside.ts';
import { FromSite } from './from-site.ts';
import { SourceBook, type Taker } from './source-book.ts';

export class FromNeighbours {
  readonly #book: SourceBook;
  readonly #site: FromSite;
  readonly #outside: FromOutside;

  constructor(taker: Taker) {
    this.#book = new SourceBook(taker);
    this.#site = new FromSite(taker, this.#book);
    this.#outside = new FromOutside(taker, this.#book);
  }

  /** Blocks that came from neighbours. */
  get blocks(): number {
    return this.#book.blocks;
  }

  /** Takes what there is at our site; waits a little where all are busy. False: there is nobody. */
  take(signal: AbortSignal): Promise<boolean> {
    return this.#site.take(signal);
  }

  /** Takes what our site holds, without a pause where all are busy. */
  pull(signal: AbortSignal): Promise<void> {
    return this.#site.pull(signal);
  }

  /** Takes it over the line. */
  takeOutside(signal: AbortSignal): Promise<OutsideOutcome> {
    return this.#outside.take(signal);
  }

  /** The origin has failed: from whoever holds the asset, also those that fell silent. False: not all of it. */
  fromAnyHolder(signal: AbortSignal): Promise<boolean> {
    return this.#site.fromAnyHolder(signal);
  }
}
