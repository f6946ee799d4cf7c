/**
 * One asset with a digest on its way to us: from neighbours of our site, else, when it is our turn, over the line. Owned by Assets; lives until
 * the asset is there, failed, or nobody wants it any more.
 */
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import { LAST_RESORT_ROUNDS, RESCUE_LOOK_MS } from '../core/limits.ts';
import { Crossing, type Crossed } from './crossing.ts';
import type { Turn } from './crossings.ts';
import { Sources } from './sources.ts';
import type { TransferPorts } from './transfer-ports.ts';
import { UnderWay, type UnderWayListener } from './under-way.ts';
import type { Wanted } from './wanted.ts';

/** What came. `leaves` is null where the origin's bytes contradict the digest: then they are for the page alone. */
export interface Transferred {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly leaves: Uint8Array<ArrayBuffer> | null;
  readonly source: 'peers' | 'origin' | 'mixed';
  /** Are there checked blocks that are none of this body? */
  readonly replaces?: boolean;
  /** Of the origin's answer; null where neighbours gave all. */
  readonly origin: { readonly contentType: string; readonly shareable: boolean; readonly url: string } | null;
}

export class Transfer {
  readonly underWay: UnderWay;
  readonly #ports: TransferPorts;
  readonly #wanted: Wanted;
  readonly #signal: AbortSignal;
  readonly #progress: (loaded: number, total: number) => void;
  /** The most that was told. */
  #loaded = 0;
  readonly #turn: Turn;
  readonly #sources: Sources;
  /** Bytes that came over the line in our latest crossing. */
  #crossed = 0;
  #crossing: Crossing | null = null;

  constructor(
    ports: TransferPorts,
    wanted: Wanted,
    signal: AbortSignal,
    progress: (loaded: number, total: number) => void,
    abandoned: UnderWayListener['abandoned'],
    begun?: UnderWay,
  ) {
    this.#ports = ports;
    this.#wanted = wanted;
    this.#signal = signal;
    this.#progress = (loaded, total) => {
      this.#loaded = Math.max(this.#loaded, loaded);
      progress(this.#loaded, total);
    };
    this.#turn = ports.crossings.turn(wanted);
    const { name } = wanted;
    const listener: UnderWayListener = {
      progress: (loaded) => {
        this.#progress(loaded, name.size);
        this.#sources.showBlocks();
      },
      abandoned,
    };
    this.underWay = new UnderWay(name, ports.sha256, listener, begun);
    this.#sources = new Sources(ports, wanted, this.underWay, this.#turn);
  }

  /** It is needed by then, on the clock: perhaps sooner than was said. */
  neededBy(time: number): void {
    if (time >= this.#wanted.neededAt) return;
    this.#wanted.neededAt = time;
    this.#ports.changes.notify();
  }

  /** Somebody reads it from this block on. @param isChecked and may be given nothing but checked blocks */
  readFrom(block: number, isChecked: boolean): void {
    const { blocks } = this.underWay;
    blocks.first = block;
    this.underWay.needsLeaves ||= isChecked;
    if (!blocks.has(block)) void this.#crossing?.turnTo(block);
  }

  async run(): Promise<Transferred> {
    try {
      return await this.#run();
    } finally {
      this.underWay.end();
    }
  }

  /** Neighbours of the site first; then, when it is our turn to cross, those outside, then the origin. */
  async #run(): Promise<Transferred> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.underWay.blocks.complete) return this.#assembled(null);
      if (await this.#sources.take(this.#signal)) continue;
      if (await this.#waitUntil(this.#turn.mayCrossAt())) continue;
      const outside = await this.#sources.takeOutside(this.#signal);
      if (outside === 'took') continue;
      if (outside === 'nobody' && (await this.#waitUntil(this.#turn.originAt(this.underWay.followers > 0)))) continue;
      const transferred = await this.#cross();
      if (transferred) return transferred;
    }
  }

  /** False, at once, if it is that late already. */
  async #waitUntil(time: number): Promise<boolean> {
    const wait = time - this.#ports.clock.now();
    if (wait <= 0) return false;
    await this.#ports.changes.next(wait, this.#signal);
    return true;
  }

  /** From the origin; if it fails, neighbours again, also those that fell silent. Null: somebody else of the site crosses. */
  async #cross(): Promise<Transferred | null> {
    const { crossings } = this.#ports;
    this.#crossed = 0;
    this.#sources.announce(0);
    this.#turn.crosses();
    const end = crossings.begin();
    const over = new AbortController();
    const rescue = this.#rescue(over);
    try {
      this.#crossing = this.#newCrossing(AbortSignal.any([this.#signal, over.signal]));
      return this.#assembled(await this.#crossing.run());
    } catch (error) {
      over.abort();
      const isTheirs = await rescue;
      this.#signal.throwIfAborted();
      if (this.underWay.blocks.complete) return this.#assembled(null);
      if (isTheirs) {
        this.#sources.withdraw();
        return null;
      }
      for (let round = 0; round < LAST_RESORT_ROUNDS; round++)
        if (await this.#sources.fromAnyHolder(this.#signal)) return this.#assembled(null);
      throw error;
    } finally {
      this.#crossing = null;
      over.abort();
      end();
    }
  }

  #newCrossing(signal: AbortSignal): Crossing {
    const { crossings, clock, origin } = this.#ports;
    const { name, swarm } = this.#wanted;
    const ports = {
      clock,
      origin,
      crossed: (bytes: number) => {
        this.#crossed += bytes;
        crossings.count(bytes);
      },
      hasCompany: () => crossings.hasCompany(swarm),
      leavesUrl: name.urlKey === undefined ? (name.leavesUrl ?? this.#ports.manifest.leavesUrl(name)) : null,
      progress: this.#progress,
    };
    return new Crossing(ports, this.#wanted, this.underWay, signal);
  }

  /**
   * Where a neighbour of the site has it by now, it is here sooner from there: the origin may hang, or others crossed it too.
   * True: we stepped back, for somebody else had begun.
   */
  async #rescue(over: AbortController): Promise<boolean> {
    const { changes } = this.#ports;
    while (!over.signal.aborted && !this.underWay.withheld) {
      if (this.#crossed < BLOCK_BYTES && this.#turn.stepsBack()) {
        over.abort();
        return true;
      }
      await this.#sources.pull(over.signal);
      if (this.underWay.blocks.complete) over.abort();
      else await changes.next(RESCUE_LOOK_MS, over.signal);
    }
    return false;
  }

  #assembled(crossed: Crossed | null): Transferred {
    const origin = crossed?.response ?? null;
    const { blocks, body, leaves } = this.underWay;
    if (crossed?.otherBody)
      return { body: crossed.otherBody, leaves: null, source: 'origin', origin, replaces: blocks.checked > 0 };
    const { blocks: given } = this.#sources;
    const source = given === blocks.count ? 'peers' : given === 0 ? 'origin' : 'mixed';
    return { body, leaves, source, origin };
  }
}
