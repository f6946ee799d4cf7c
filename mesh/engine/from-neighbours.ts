/** One asset's way from neighbours: in runs from those who hold it, else as it comes to one who has it under way. Made for a transfer's Sources. */
import { P2PError } from '../../protocol/error.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Run } from '../core/block-table.ts';
import {
  BLOCKS_PER_REQUEST,
  BUSY_PATIENCE_MS,
  BUSY_PAUSE_MS,
  MAX_HOPS,
  REQUESTS_PER_NEIGHBOUR,
} from '../core/limits.ts';
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
    /** Checked bytes came from a neighbour. */
    readonly countPeerBytes: (bytes: number) => void;
    readonly neighbours: {
      holders(digest: Digest): readonly Neighbour[];
      carriers(digest: Digest, hops: number): readonly Neighbour[];
      ban(neighbour: Neighbour, reason: P2PError): void;
    };
  };
}

export class FromNeighbours {
  readonly #ports: Taker['ports'];
  readonly #wanted: Wanted;
  readonly #underWay: UnderWay;
  readonly #turn: Taker['turn'];
  readonly #taker: Taker;
  readonly #failed = new Set<Neighbour>();
  /** Neighbours that announced it and did not have it, or not yet: once may be bad luck. */
  readonly #refused = new Set<Neighbour>();
  /** Neighbours that were busy: since when, and until when they are left alone. */
  readonly #busy = new Map<Neighbour, { readonly since: number; readonly until: number }>();
  #leavesCheck: Promise<boolean> | null = null;
  #blocks = 0;
  /** One who handed it on too slowly was left. */
  #wasSlow = false;

  constructor(taker: Taker) {
    this.#taker = taker;
    this.#ports = taker.ports;
    this.#wanted = taker.wanted;
    this.#underWay = taker.underWay;
    this.#turn = taker.turn;
  }

  /** Blocks that came from neighbours. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Takes what there is from those who hold the asset, else from one who has it under way; waits a little where all are busy. False: there is nobody. */
  async take(may: May, signal: AbortSignal): Promise<boolean> {
    const holders = this.#holders(may);
    const [first, ...more] = this.#ready(holders);
    if (first) {
      await this.#pullAll([first, ...more], signal);
      return true;
    }
    const carriers = this.#ports.neighbours
      .carriers(this.#wanted.name.digest, Math.min(this.#taker.hops, MAX_HOPS))
      .filter((neighbour) => may(neighbour) && this.#isUsable(neighbour));
    const [carrier] = this.#ready(carriers);
    if (carrier) await this.#follow(carrier, signal);
    else if (holders.length + carriers.length > 0) await this.#ports.changes.next(BUSY_PAUSE_MS, signal);
    else return false;
    return true;
  }

  /** The same of holders alone, without a pause where all are busy. */
  async pull(may: May, signal: AbortSignal): Promise<void> {
    const [first, ...more] = this.#ready(this.#holders(may));
    if (first) await this.#pullAll([first, ...more], signal);
  }

  /** The origin has failed: from whoever holds the asset, also those that fell silent. False: not all of it. */
  async fromAnyHolder(signal: AbortSignal): Promise<boolean> {
    this.#failed.clear();
    for (;;) {
      const [first, ...more] = this.#ports.neighbours
        .holders(this.#wanted.name.digest)
        .filter((holder) => !this.#failed.has(holder));
      if (!first || this.#underWay.blocks.complete) return this.#underWay.blocks.complete;
      await this.#pullAll([first, ...more], signal);
      signal.throwIfAborted();
    }
  }

  #holders(may: May): readonly Neighbour[] {
    return this.#ports.neighbours
      .holders(this.#wanted.name.digest)
      .filter((neighbour) => may(neighbour) && this.#isUsable(neighbour));
  }

  #isUsable(neighbour: Neighbour): boolean {
    return !this.#failed.has(neighbour) && !neighbour.paused;
  }

  #ready(neighbours: readonly Neighbour[]): readonly Neighbour[] {
    const now = this.#ports.clock.now();
    return neighbours.filter((neighbour) => (this.#busy.get(neighbour)?.until ?? 0) <= now);
  }

  async #pullAll(holders: readonly [Neighbour, ...Neighbour[]], signal: AbortSignal): Promise<void> {
    // Those for whom the holders have no place take it from us.
    if (!holders.some(({ sameSite }) => sameSite)) this.#taker.announce(0);
    else if (this.#underWay.leaves) this.#taker.announce(1);
    if (!this.#underWay.leaves) {
      await this.#ask(holders[0], true, signal);
      return;
    }
    const pull = async (holder: Neighbour): Promise<void> => {
      while (!this.#failed.has(holder) && (await this.#ask(holder, false, signal)));
    };
    await Promise.all(Array.from({ length: REQUESTS_PER_NEIGHBOUR }, () => holders.map(pull)).flat());
  }

  /** One request; false where nothing is missing or the neighbour failed. */
  async #ask(holder: Neighbour, leaves: boolean, signal: AbortSignal): Promise<boolean> {
    const run = this.#underWay.blocks.take(BLOCKS_PER_REQUEST);
    return run !== null && (await this.#settle(holder, run, leaves, null, signal)) === 'done';
  }

  /** All that is missing, as it comes to one who has it under way. */
  async #follow(carrier: Neighbour, signal: AbortSignal): Promise<void> {
    const hops = carrier.hopsOf(this.#wanted.name.digest);
    const run = this.#underWay.blocks.take(Infinity);
    if (hops === undefined || !run) return;
    const before = this.#blocks;
    const outcome = await this.#settle(carrier, run, !this.#underWay.leaves, hops, signal);
    this.#wasSlow ||= outcome === 'slow';
    if (isFailure(outcome) && this.#blocks === before) this.#turn.gaveNothing(outcome === 'refused');
  }

  async #settle(
    neighbour: Neighbour,
    run: Run,
    leaves: boolean,
    hops: number | null,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { digest } = this.#wanted.name;
    this.#leavesCheck = leaves ? null : this.#leavesCheck;
    const outcome = await neighbour.ask({
      digest,
      run,
      leaves,
      neededAt: this.#wanted.neededAt,
      hops,
      patient: this.#wasSlow,
      doubts: this.#turn.fruitless,
      sink: this.#sinkOf(hops),
      signal,
    });
    this.#underWay.blocks.release(run);
    this.#ports.trace(
      'transfer',
      () => `${digest.slice(0, 8)} ${run.first}+${run.count} from ${neighbour.peer}: ${outcome}`,
    );
    this.#note(neighbour, outcome);
    return outcome;
  }

  #note(neighbour: Neighbour, outcome: Outcome): void {
    if (outcome === 'busy') this.#wasBusy(neighbour);
    if (outcome === 'later') this.#turn.promised(neighbour);
    if (outcome === 'later' || outcome === 'refused') {
      if (this.#refused.has(neighbour)) this.#failed.add(neighbour);
      this.#refused.add(neighbour);
    } else if (isFailure(outcome)) this.#failed.add(neighbour);
    if (isFailure(outcome)) this.#turn.lostSource(neighbour);
    if (outcome === 'lied') this.#ban(neighbour);
  }

  #wasBusy(neighbour: Neighbour): void {
    const now = this.#ports.clock.now();
    const since = this.#busy.get(neighbour)?.since ?? now;
    this.#busy.set(neighbour, { since, until: now + BUSY_PAUSE_MS });
    if (now - since < BUSY_PATIENCE_MS) return;
    this.#failed.add(neighbour);
    this.#turn.lostSource(neighbour);
  }

  #ban(neighbour: Neighbour): void {
    const { url } = this.#wanted;
    this.#ports.neighbours.ban(
      neighbour,
      new P2PError(
        'peer-banned',
        `Neighbour ${neighbour.peer} sent bytes that are not those of ${url} and is banned; they were thrown away.`,
        { peer: neighbour.peer, url },
      ),
    );
  }

  /** @param hops of an asset that the neighbour has under way; null: it holds it */
  #sinkOf(hops: number | null): ContentSink {
    return {
      leaves: (size, untrustedLeaves) => {
        this.#leavesCheck = this.#underWay.takeLeaves(size, untrustedLeaves).then((right) => {
          if (right) this.#taker.announce((hops ?? 0) + 1);
          return right;
        });
        return this.#leavesCheck;
      },
      block: async (index, untrustedBlock) => {
        await this.#leavesCheck;
        const verdict = await this.#underWay.takeBlock(index, untrustedBlock);
        if (verdict === 'new') {
          this.#blocks++;
          this.#ports.countPeerBytes(untrustedBlock.length);
        }
        return verdict !== 'wrong';
      },
    };
  }
}

/** It will give no more. */
const isFailure = (outcome: Outcome): boolean =>
  outcome !== 'done' && outcome !== 'aborted' && outcome !== 'busy' && outcome !== 'later';
