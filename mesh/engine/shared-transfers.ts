/** Transfers under way, by digest: same questions at the same time share one. Owned by Assets. */
import type { AssetName, Digest } from '../../protocol/ids.ts';
import type { Begun, Expected } from '../../protocol/page.ts';
import type { CountedFetch } from './origin-door.ts';
import type { TransferPorts } from './transfer-ports.ts';
import { Transfer, type Transferred } from './transfer.ts';
import type { UnderWay } from './under-way.ts';
import { Unfinished } from './unfinished.ts';
import type { Wanted } from './wanted.ts';

/** Bytes of what somebody asked for came from there. */
export type Use = (source: 'origin' | 'peers' | 'store', bytes: number) => void;

/** What is on its way may be read while it comes. */
export type Progress = (loaded: number, total: number, underWay: UnderWay) => void;

/** Where somebody reads. */
export interface Place {
  readonly block: number;
  /** Can it be given nothing but checked blocks? */
  readonly isChecked: boolean;
}

/** One who waits for a transfer; what is brought for others, or ahead of time, is nobody's use. */
interface Taker {
  readonly progress: Progress;
  readonly use: Use | null;
}

interface Shared {
  readonly transfer: Transfer;
  readonly result: Promise<Transferred>;
  readonly controller: AbortController;
  /** The bytes are the use of the first that has one. */
  readonly takers: Set<Taker>;
}

export interface SharedTransfersPorts extends Omit<TransferPorts, 'origin'> {
  readonly origin: CountedFetch;
  /** An asset is here. */
  readonly done: (wanted: Wanted, got: Transferred) => void;
  /** Is it kept, so that neighbours may ask for it? */
  readonly isKept: (digest: Digest) => boolean;
}

export class SharedTransfers {
  readonly #ports: SharedTransfersPorts;
  readonly #all = new Map<Digest, Shared>();
  readonly #unfinished: Unfinished;

  constructor(ports: SharedTransfersPorts) {
    this.#ports = ports;
    this.#unfinished = new Unfinished(ports.clock, ports.sha256);
  }

  /** What is on its way and may be handed on. */
  underWay(digest: Digest): UnderWay | undefined {
    const underWay = this.#all.get(digest)?.transfer.underWay;
    return underWay?.withheld === true ? undefined : underWay;
  }

  /** Needed sooner than was said, perhaps. */
  expect({ name, within }: Expected): void {
    this.#all.get(name.digest)?.transfer.neededBy(this.#ports.clock.now() + within);
  }

  /** Goes on with what another engine had of an asset. */
  async begin(name: AssetName, begun: Begun): Promise<void> {
    if (!this.#all.has(name.digest)) await this.#unfinished.add(name, begun);
  }

  /** Takes part in the one that there is, else begins one. @throws P2PError `origin-failed`, or the signal's reason */
  async take(wanted: Wanted, signal: AbortSignal, taker: Taker, place?: Place): Promise<Transferred> {
    signal.throwIfAborted();
    const { digest } = wanted.name;
    const shared = this.#all.get(digest) ?? this.#start(wanted, place);
    shared.transfer.neededBy(wanted.neededAt);
    if (place) shared.transfer.readFrom(place.block, place.isChecked);
    shared.takers.add(taker);
    const leave = (): void => {
      shared.takers.delete(taker);
      this.#endUnwanted(digest, shared);
    };
    signal.addEventListener('abort', leave);
    try {
      return await shared.result;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Neighbours that are handed it want it too. Whoever asks from now on starts anew. */
  #endUnwanted(digest: Digest, shared: Shared): void {
    if (shared.takers.size > 0 || shared.transfer.underWay.followers > 0) return;
    if (this.#all.get(digest) !== shared) return;
    this.#all.delete(digest);
    shared.controller.abort();
    this.#unfinished.keep(shared.transfer.underWay);
  }

  #start(wanted: Wanted, { block, isChecked }: Place = { block: 0, isChecked: false }): Shared {
    const { name, swarm } = wanted;
    const controller = new AbortController();
    const takers: Shared['takers'] = new Set();
    const tellAll = (have: number, total: number): void => {
      for (const { progress } of takers) progress(have, total, transfer.underWay);
    };
    const transfer = new Transfer(
      this.#countedFor(takers),
      wanted,
      controller.signal,
      tellAll,
      () => this.#endUnwanted(name.digest, shared),
      this.#unfinished.take(name.digest),
    );
    transfer.readFrom(block, isChecked);
    const result = transfer
      .run()
      .then((got) => {
        this.#ports.done(wanted, got);
        return got;
      })
      .finally(() => this.#ports.neighbours.announcements.fetched(swarm, name.digest, this.#ports.isKept(name.digest)));
    const shared: Shared = { transfer, result, controller, takers };
    this.#all.set(name.digest, shared);
    const forget = (): void => {
      if (this.#all.get(name.digest) === shared) this.#all.delete(name.digest);
    };
    result.then(forget, forget);
    return shared;
  }

  #countedFor(takers: Shared['takers']): TransferPorts {
    const use: Use = (source, bytes) => {
      for (const taker of takers) if (taker.use) return taker.use(source, bytes);
    };
    return {
      ...this.#ports,
      origin: (request) => this.#ports.origin(request, (bytes) => use('origin', bytes)),
      countPeerBytes: (bytes) => {
        this.#ports.countPeerBytes(bytes);
        use('peers', bytes);
      },
    };
  }
}
