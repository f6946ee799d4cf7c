/** What one transfer knows of the neighbours that it asks: who failed, refused or was busy. Asks them and checks what they give. Shared by the ways in. */
import { P2PError } from '../../protocol/error.ts';
import type { Digest, SwarmId } from '../../protocol/ids.ts';
import type { Asked } from '../core/block-table.ts';
import { BUSY_PATIENCE_MS, BUSY_PAUSE_MS, FIRST_BYTE_TIME_MS } from '../core/limits.ts';
import { firstPatience, timeLeft } from '../core/patience.ts';
import type { Clock, Trace } from '../core/ports.ts';
import type { Changes } from './changes.ts';
import type { Neighbour } from './neighbour.ts';
import type { ContentSink, Outcome } from './questions.ts';
import type { UnderWay } from './under-way.ts';
import type { Wanted } from './wanted.ts';

/** Which neighbours may be asked. */
export type May = (neighbour: Neighbour) => boolean;

/** What a transfer tells of itself, and hears of its neighbours. */
export interface Taker {
  readonly wanted: Wanted;
  readonly underWay: UnderWay;
  /** As we announced; Infinity: not at all. */
  readonly hops: number;
  announce(hops: number): void;
  readonly turn: {
    /** In [0, 1), another for each peer and asset. */
    readonly draw: number;
    /** Sources that had it under way and gave nothing. */
    readonly fruitless: number;
    gaveNothing(refused: boolean): void;
    promised(neighbour: Neighbour): void;
    lostSource(neighbour: Neighbour): void;
  };
  readonly ports: {
    readonly clock: Clock;
    readonly changes: Changes;
    readonly trace: Trace;
    readonly crossings: {
      /** Bytes per second; 0: not known. */
      readonly lineRate: number;
      sizes(swarm: SwarmId): { readonly siteSize: number; readonly sites: number };
    };
    /** Checked bytes came from a neighbour. */
    readonly countPeerBytes: (bytes: number) => void;
    readonly neighbours: {
      holders(digest: Digest): readonly Neighbour[];
      carriers(digest: Digest, hops: number): readonly Neighbour[];
      ban(neighbour: Neighbour, reason: P2PError): void;
    };
  };
}

/** One question for blocks. */
export interface Ask {
  readonly neighbour: Neighbour;
  readonly asked: Asked;
  readonly leaves: boolean;
  /** Of an asset that the neighbour has under way: its hops; null: it holds it. */
  readonly hops: number | null;
  /** What we announce as soon as the leaves are known; Infinity: nothing new. */
  readonly level: number;
}

export class SourceBook {
  readonly #taker: Taker;
  readonly #failed = new Set<Neighbour>();
  /** Neighbours that announced it and did not have it, or not yet: once may be bad luck. */
  readonly #refused = new Set<Neighbour>();
  /** Neighbours that were busy: since when, and until when they are left alone. */
  readonly #busy = new Map<Neighbour, { readonly since: number; readonly until: number }>();
  #blocks = 0;
  /** One who handed it on too slowly was left. */
  #wasSlow = false;

  constructor(taker: Taker) {
    this.#taker = taker;
  }

  /** Blocks that came from neighbours. */
  get blocks(): number {
    return this.#blocks;
  }

  holders(may: May): readonly Neighbour[] {
    const { ports, wanted } = this.#taker;
    return ports.neighbours
      .holders(wanted.name.digest)
      .filter((neighbour) => may(neighbour) && this.#isUsable(neighbour));
  }

  /** Those who have it under way, fewer hops from who crosses than this. */
  carriers(may: May, hops: number): readonly Neighbour[] {
    const { ports, wanted } = this.#taker;
    return ports.neighbours
      .carriers(wanted.name.digest, hops)
      .filter((neighbour) => may(neighbour) && this.#isUsable(neighbour));
  }

  /** Those of them that are not busy. */
  ready(neighbours: readonly Neighbour[]): readonly Neighbour[] {
    const now = this.#taker.ports.clock.now();
    return neighbours.filter((neighbour) => (this.#busy.get(neighbour)?.until ?? 0) <= now);
  }

  hasFailed(neighbour: Neighbour): boolean {
    return this.#failed.has(neighbour);
  }

  /** Nobody is to be had any more: those that failed are asked again. */
  forgive(): void {
    this.#failed.clear();
  }

  /** Asks for a run of blocks that was taken from the table; what does not come is missing again. */
  async ask({ neighbour, asked, leaves, hops, level }: Ask, signal: AbortSignal): Promise<Outcome> {
    const { wanted, underWay, turn, ports } = this.#taker;
    const { digest } = wanted.name;
    const now = ports.clock.now();
    const mayAwaitOthers =
      timeLeft(wanted.neededAt - now) > FIRST_BYTE_TIME_MS && ports.crossings.sizes(wanted.swarm).sites > 1;
    const outcome = await neighbour.ask({
      digest,
      asked,
      leaves,
      neededAt: wanted.neededAt,
      hops,
      outside: !neighbour.sameSite,
      patient: this.#wasSlow,
      doubts: turn.fruitless - (mayAwaitOthers ? 1 : 0),
      silence: firstPatience(now - wanted.startedAt),
      sink: this.#sink(level),
      signal,
    });
    underWay.blocks.release(asked);
    ports.trace('transfer', () => `${digest.slice(0, 8)} ${JSON.stringify(asked)} from ${neighbour.peer}: ${outcome}`);
    this.#note(neighbour, outcome);
    return outcome;
  }

  /** All that is missing, as it comes to one who has it under way. */
  async follow(carrier: Neighbour, signal: AbortSignal): Promise<void> {
    const { wanted, underWay, turn } = this.#taker;
    const hops = carrier.hopsOf(wanted.name.digest);
    const run = underWay.blocks.take(Infinity);
    if (hops === undefined || !run) return;
    const before = this.#blocks;
    const outcome = await this.ask(
      { neighbour: carrier, asked: run, leaves: !underWay.leaves, hops, level: hops + 1 },
      signal,
    );
    this.#wasSlow ||= outcome === 'slow';
    if (isFailure(outcome) && this.#blocks === before) turn.gaveNothing(outcome === 'refused');
  }

  #isUsable(neighbour: Neighbour): boolean {
    return !this.#failed.has(neighbour) && !neighbour.paused;
  }

  #note(neighbour: Neighbour, outcome: Outcome): void {
    const { turn } = this.#taker;
    if (outcome === 'busy') this.#wasBusy(neighbour);
    if (outcome === 'later') turn.promised(neighbour);
    if (outcome === 'later' || outcome === 'refused') {
      if (this.#refused.has(neighbour)) this.#failed.add(neighbour);
      this.#refused.add(neighbour);
    } else if (isFailure(outcome)) this.#failed.add(neighbour);
    if (isFailure(outcome)) turn.lostSource(neighbour);
    if (outcome === 'lied') this.#ban(neighbour);
  }

  #wasBusy(neighbour: Neighbour): void {
    const now = this.#taker.ports.clock.now();
    const since = this.#busy.get(neighbour)?.since ?? now;
    this.#busy.set(neighbour, { since, until: now + BUSY_PAUSE_MS });
    if (now - since < BUSY_PATIENCE_MS) return;
    this.#failed.add(neighbour);
    this.#taker.turn.lostSource(neighbour);
  }

  #ban(neighbour: Neighbour): void {
    const { url } = this.#taker.wanted;
    this.#taker.ports.neighbours.ban(
      neighbour,
      new P2PError('peer-banned', `Neighbour ${neighbour.peer} sent wrong bytes of ${url} and is banned.`, {
        peer: neighbour.peer,
        url,
      }),
    );
  }

  #sink(level: number): ContentSink {
    const { underWay, ports } = this.#taker;
    let leavesCheck: Promise<boolean> | null = null;
    return {
      leaves: (size, untrustedLeaves) => {
        leavesCheck = underWay.takeLeaves(size, untrustedLeaves).then((right) => {
          if (right) this.#taker.announce(level);
          return right;
        });
        return leavesCheck;
      },
      block: async (index, untrustedBlock) => {
        await leavesCheck;
        const verdict = await underWay.takeBlock(index, untrustedBlock);
        if (verdict === 'new') {
          this.#blocks++;
          ports.countPeerBytes(untrustedBlock.length);
        }
        return verdict !== 'wrong';
      },
    };
  }
}

/** It will give no more. */
const isFailure = (outcome: Outcome): boolean =>
  outcome !== 'done' && outcome !== 'aborted' && outcome !== 'busy' && outcome !== 'later';
