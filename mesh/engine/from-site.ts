/** One asset's way from neighbours of our site: in runs from those who hold it, else as it comes to one who has it under way. Made for a transfer's Sources. */
import { BLOCKS_PER_REQUEST, BUSY_PAUSE_MS, MAX_HOPS, REQUESTS_PER_NEIGHBOUR } from '../core/limits.ts';
import type { Neighbour } from './neighbour.ts';
import type { May, SourceBook, Taker } from './source-book.ts';

const isOfSite: May = ({ sameSite }) => sameSite;

export class FromSite {
  readonly #taker: Taker;
  readonly #book: SourceBook;

  constructor(taker: Taker, book: SourceBook) {
    this.#taker = taker;
    this.#book = book;
  }

  /** Takes what there is from those who hold the asset, else from one who has it under way; waits a little where all are busy. False: there is nobody. */
  async take(signal: AbortSignal): Promise<boolean> {
    const holders = this.#book.holders(isOfSite);
    const [first, ...more] = this.#book.ready(holders);
    if (first) {
      await this.#pullAll([first, ...more], signal);
      return true;
    }
    const carriers = this.#book.carriers(isOfSite, Math.min(this.#taker.hops, MAX_HOPS));
    const [carrier] = this.#book.ready(carriers);
    if (carrier) await this.#book.follow(carrier, signal);
    else if (holders.length + carriers.length > 0) await this.#taker.ports.changes.next(BUSY_PAUSE_MS, signal);
    else return false;
    return true;
  }

  /** The same of holders alone, without a pause where all are busy. */
  async pull(signal: AbortSignal): Promise<void> {
    const [first, ...more] = this.#book.ready(this.#book.holders(isOfSite));
    if (first) await this.#pullAll([first, ...more], signal);
  }

  /** The origin has failed: from whoever holds the asset, of whatever site, also those that fell silent. False: not all of it. */
  async fromAnyHolder(signal: AbortSignal): Promise<boolean> {
    const { underWay, wanted, ports } = this.#taker;
    this.#book.forgive();
    for (;;) {
      const [first, ...more] = ports.neighbours
        .holders(wanted.name.digest)
        .filter((holder) => !this.#book.hasFailed(holder));
      if (!first || underWay.blocks.complete) return underWay.blocks.complete;
      await this.#pullAll([first, ...more], signal);
      signal.throwIfAborted();
    }
  }

  async #pullAll(holders: readonly [Neighbour, ...Neighbour[]], signal: AbortSignal): Promise<void> {
    // Those for whom the holders have no place take it from us.
    if (!holders.some(({ sameSite }) => sameSite)) this.#taker.announce(0);
    else if (this.#taker.underWay.leaves) this.#taker.announce(1);
    if (!this.#taker.underWay.leaves) {
      await this.#ask(holders[0], true, signal);
      return;
    }
    const pull = async (holder: Neighbour): Promise<void> => {
      while (!this.#book.hasFailed(holder) && (await this.#ask(holder, false, signal)));
    };
    await Promise.all(Array.from({ length: REQUESTS_PER_NEIGHBOUR }, () => holders.map(pull)).flat());
  }

  /** One request; false where nothing is missing or the neighbour failed. */
  async #ask(neighbour: Neighbour, leaves: boolean, signal: AbortSignal): Promise<boolean> {
    const run = this.#taker.underWay.blocks.take(BLOCKS_PER_REQUEST);
    return (
      run !== null && (await this.#book.ask({ neighbour, asked: run, leaves, hops: null, level: 1 }, signal)) === 'done'
    );
  }
}
