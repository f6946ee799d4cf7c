/** One asset's way from neighbours, from the moment on that there is company: alone there is nobody to take it from. Owned by a Transfer. */
import type { Turn } from './crossings.ts';
import type { FromNeighbours } from './from-neighbours.ts';
import type { OutsideOutcome } from './from-outside.ts';
import type { Taker } from './source-book.ts';
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
  #company: FromNeighbours | undefined;

  constructor(ports: TransferPorts, wanted: Wanted, underWay: UnderWay, turn: Turn) {
    this.ports = ports;
    this.wanted = wanted;
    this.underWay = underWay;
    this.turn = turn;
  }

  /** Blocks that came from neighbours. */
  get blocks(): number {
    return this.#company?.blocks ?? 0;
  }

  /** Takes what there is at our site. False: there is nobody. */
  async take(signal: AbortSignal): Promise<boolean> {
    return (await this.#neighbours()?.take(signal)) ?? false;
  }

  /** Takes what our site holds, without a pause where all are busy. */
  async pull(signal: AbortSignal): Promise<void> {
    await this.#neighbours()?.pull(signal);
  }

  /** Takes it over the line from other sites. */
  async takeOutside(signal: AbortSignal): Promise<OutsideOutcome> {
    return (await this.#neighbours()?.takeOutside(signal)) ?? 'nobody';
  }

  /** The origin has failed: from whoever holds the asset, also those that fell silent. False: not all of it. */
  async fromAnyHolder(signal: AbortSignal): Promise<boolean> {
    return (await this.#neighbours()?.fromAnyHolder(signal)) ?? this.underWay.blocks.complete;
  }

  /** Tells that we have the asset under way, if that is news. */
  announce(hops: number): void {
    if (hops >= this.hops) return;
    this.hops = hops;
    const { neighbours, crossings } = this.ports;
    neighbours.fetching(this.wanted.swarm, this.wanted.name.digest, hops, crossings.lineRate);
  }

  /** Takes that back. */
  withdraw(): void {
    this.hops = Infinity;
    this.ports.neighbours.fetched(this.wanted.swarm, this.wanted.name.digest, false);
  }

  #neighbours(): FromNeighbours | undefined {
    return (this.#company ??= this.ports.neighbours.sources(this));
  }
}
