/** One asset's ways from neighbours: those of our site, and those of others over the line; and what we announce of it. Owned by a Transfer. */
import type { Turn } from './crossings.ts';
import type { FromOutside, OutsideOutcome } from './from-outside.ts';
import { FromSite } from './from-site.ts';
import { SourceBook, type Taker } from './source-book.ts';
import type { TransferPorts } from './transfer-ports.ts';
import type { UnderWay } from './under-way.ts';
import type { Wanted } from './wanted.ts';

export class Sources implements Taker {
  readonly ports: TransferPorts;
  readonly wanted: Wanted;
  readonly underWay: UnderWay;
  readonly turn: Turn;
  /** As we announced; Infinity: not at all. */
  hops = Infinity;
  readonly #book: SourceBook;
  readonly #site: FromSite;
  #outside: FromOutside | null = null;

  constructor(ports: TransferPorts, wanted: Wanted, underWay: UnderWay, turn: Turn) {
    this.ports = ports;
    this.wanted = wanted;
    this.underWay = underWay;
    this.turn = turn;
    this.#book = new SourceBook(this);
    this.#site = new FromSite(this, this.#book);
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

  /** Takes it over the line from other sites. */
  takeOutside(signal: AbortSignal): Promise<OutsideOutcome> {
    const Outside = this.ports.outside();
    if (!Outside) return Promise.resolve('nobody');
    this.#outside ??= new Outside(this, this.#book);
    return this.#outside.take(signal);
  }

  /** The origin has failed: from whoever holds the asset, also those that fell silent. False: not all of it. */
  fromAnyHolder(signal: AbortSignal): Promise<boolean> {
    return this.#site.fromAnyHolder(signal);
  }

  /** Tells that we have the asset under way, if that is news. */
  announce(hops: number): void {
    if (hops >= this.hops) return;
    this.hops = hops;
    const { neighbours, crossings } = this.ports;
    neighbours.announcements.fetching(this.wanted.swarm, this.wanted.name.digest, hops, crossings.measuredRate);
  }

  /** Tells which blocks there are by now. */
  showBlocks(): void {
    const { blocks, name } = this.underWay;
    if (!blocks.complete) this.ports.neighbours.announcements.bitfield(name.digest, blocks);
  }

  /** Takes that back. */
  withdraw(): void {
    this.hops = Infinity;
    this.ports.neighbours.announcements.fetched(this.wanted.swarm, this.wanted.name.digest, false);
  }
}
