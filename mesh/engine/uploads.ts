/** Hands our assets to neighbours: one queue each, all within the upload cap. */
import { blockCount, blockOf } from '../../protocol/digest.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { PeerMessage, RefuseReason } from '../../protocol/peer-message.ts';
import { FOLLOWERS_PER_ASSET, FOLLOWS_FROM_NEIGHBOUR, MAX_PICKED, REQUESTS_FROM_NEIGHBOUR } from '../core/limits.ts';
import type { Clock, Store, StoredAsset } from '../core/ports.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { UnderWay } from './under-way.ts';
import { UploadLine } from './upload-line.ts';
import type { Wire } from './wire.ts';

type BlockRequest = Extract<PeerMessage, { type: 'request' | 'pick' }>;

/** What all uploads of one engine share. */
export class UploadAllowance {
  readonly #store: Store;
  readonly #underWay: (digest: Digest) => UnderWay | undefined;
  readonly #clock: Clock;
  readonly #enabled: boolean;
  readonly #announced: (digest: Digest) => boolean;
  readonly #bucket: TokenBucket | null;
  readonly #uploaded: (bytes: number) => void;
  #turns: Promise<void> = Promise.resolve();
  /** To other sites. */
  readonly line: UploadLine;
  /** Which neighbours take which of our assets just now. */
  readonly #takers = new Map<Digest, Set<Uploads>>();
  /** How often each block of an asset was picked. */
  readonly #picked = new Map<Digest, number[]>();
  /** Bytes of one message: a 64th of a second of a capped line, so that all of a dozen neighbours that ask at once see it move. */
  readonly maxPartBytes: number;

  constructor(
    clock: Clock,
    store: Store,
    underWay: (digest: Digest) => UnderWay | undefined,
    options: { enabled: boolean; maxUpload: number | null; announced: (digest: Digest) => boolean },
    uploaded: (bytes: number) => void,
  ) {
    this.#clock = clock;
    this.line = new UploadLine(clock);
    this.#store = store;
    this.#underWay = underWay;
    this.#enabled = options.enabled;
    this.#announced = options.announced;
    const { maxUpload } = options;
    this.maxPartBytes = maxUpload === null ? Infinity : Math.max(1024, Math.floor(maxUpload / 512));
    this.#bucket = maxUpload === null ? null : new TokenBucket(maxUpload, this.maxPartBytes, clock.now());
    this.#uploaded = uploaded;
  }

  /** Has it a place among those who take this asset from us? The others take it from those, who have it under way. */
  admits(digest: Digest, taker: Uploads): boolean {
    const takers = this.#takers.get(digest) ?? new Set();
    const beside = [...takers].filter(({ outside }) => outside === taker.outside);
    if (!takers.has(taker) && beside.length >= FOLLOWERS_PER_ASSET) return false;
    this.#takers.set(digest, takers.add(taker));
    return true;
  }

  /** Of these blocks the one that we gave least: so those who take it from us have something for each other. */
  pick(digest: Digest, blocks: readonly number[]): number | undefined {
    const picked = this.#picked.get(digest) ?? [];
    const times = (block: number): number => picked[block] ?? 0;
    const [least] = [...blocks].sort((a, b) => times(a) - times(b));
    if (least === undefined) return undefined;
    picked[least] = times(least) + 1;
    this.#picked.set(digest, picked);
    if (this.#picked.size > MAX_PICKED)
      for (const oldest of this.#picked.keys()) if (this.#picked.delete(oldest)) break;
    return least;
  }

  release(digest: Digest, taker: Uploads): void {
    const takers = this.#takers.get(digest);
    takers?.delete(taker);
    if (takers?.size === 0) this.#takers.delete(digest);
  }

  /** What is on the disk may be of a visit at which more was shared than the page lets be shared now. */
  holds(digest: Digest): boolean {
    return this.#enabled && this.#store.has(digest) && this.#announced(digest);
  }

  async read(digest: Digest): Promise<StoredAsset | undefined> {
    return this.holds(digest) ? this.#store.read(digest) : undefined;
  }

  underWay(digest: Digest): UnderWay | undefined {
    return this.#enabled && !this.#store.has(digest) ? this.#underWay(digest) : undefined;
  }

  /** First come, first served: whoever waits has its turn, so that no neighbour takes another's. */
  readonly pace = (bytes: number): Promise<void> => {
    if (this.#bucket) this.#turns = this.#turns.then(() => this.#wait(bytes));
    return this.#turns;
  };

  count(bytes: number): void {
    this.#uploaded(bytes);
  }

  async #wait(bytes: number): Promise<void> {
    for (let wait = this.#take(bytes); wait > 0; wait = this.#take(bytes))
      await new Promise<void>((resume) => this.#clock.after(wait, resume));
  }

  #take(bytes: number): number {
    return this.#bucket?.take(bytes, this.#clock.now()) ?? 0;
  }
}

/** The uploads to one neighbour: what we hold in the order asked, what we have under way as it comes. Owned by a Neighbour. */
export class Uploads {
  /** Does it lead to another site? Those have places of their own, for they have a line of their own. */
  readonly outside: boolean;
  readonly #wire: Wire;
  readonly #allowance: UploadAllowance;
  readonly #queue = new Map<number, BlockRequest>();
  /** Wanted of what is under way. */
  readonly #follows = new Map<number, UnderWay>();
  /** Of these and of those cancelled, which end the frame that they began. */
  #handing = 0;
  #serving = false;

  constructor(wire: Wire, allowance: UploadAllowance, outside: boolean) {
    this.outside = outside;
    this.#wire = wire;
    this.#allowance = allowance;
  }

  request(request: BlockRequest): void {
    const id = request.request;
    if (this.#queue.size >= REQUESTS_FROM_NEIGHBOUR || this.#queue.has(id) || this.#follows.has(id))
      return this.#refuse(request, 'busy');
    const underWay = this.#allowance.underWay(request.digest);
    if (underWay && this.#handing >= FOLLOWS_FROM_NEIGHBOUR) return this.#refuse(request, 'busy');
    const isHere = underWay ?? this.#allowance.holds(request.digest);
    if (isHere && !this.#allowance.admits(request.digest, this)) return this.#refuse(request, 'busy');
    if (underWay) {
      void this.#handOn(request, underWay);
      return;
    }
    this.#queue.set(id, request);
    if (!this.#serving) void this.#serve();
  }

  cancel(request: number): void {
    this.#dequeue(request);
    const followed = this.#follows.get(request);
    this.#follows.delete(request);
    followed?.wake();
  }

  /** The neighbour is gone. */
  close(): void {
    for (const request of [...this.#queue.keys()]) this.#dequeue(request);
    for (const request of [...this.#follows.keys()]) this.cancel(request);
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    for (let next = this.#next(); next && this.#wire.open; next = this.#next()) {
      await this.#answer(next);
      this.#dequeue(next.request);
    }
    this.#serving = false;
  }

  /** Who asks for no more of an asset leaves its place to others. */
  #dequeue(id: number): void {
    const request = this.#queue.get(id);
    if (!request) return;
    this.#queue.delete(id);
    this.#leavePlace(request.digest);
  }

  #leavePlace(given: Digest): void {
    for (const { digest } of this.#queue.values()) if (digest === given) return;
    for (const { name } of this.#follows.values()) if (name.digest === given) return;
    this.#allowance.release(given, this);
  }

  #next(): BlockRequest | undefined {
    return this.#queue.values().next().value;
  }

  async #answer(request: BlockRequest): Promise<void> {
    const asset = await this.#allowance.read(request.digest);
    const refusal = asset ? await this.#give(request, asset, () => this.#queue.has(request.request)) : 'not-held';
    if (refusal) this.#refuse(request, refusal);
  }

  /** Each block as soon as we have it and it is checked. */
  async #handOn(request: BlockRequest, asset: UnderWay): Promise<void> {
    const id = request.request;
    const wanted = (): boolean => this.#follows.has(id) && this.#wire.open;
    this.#follows.set(id, asset);
    this.#handing++;
    asset.follow();
    try {
      const refusal = await this.#give(request, asset, wanted);
      if (refusal && wanted()) this.#refuse(request, refusal);
    } finally {
      this.#follows.delete(id);
      this.#handing--;
      this.#leavePlace(request.digest);
      asset.unfollow();
    }
  }

  /** Null: all of it went, or is not wanted any more. */
  async #give(
    request: BlockRequest,
    asset: StoredAsset | UnderWay,
    wanted: () => boolean,
  ): Promise<RefuseReason | null> {
    const underWay = asset instanceof UnderWay ? asset : null;
    const { size } = asset instanceof UnderWay ? asset.name : asset;
    const { request: id, digest } = request;
    if (endOf(request) > blockCount(size)) return 'not-held';
    const leaves = asset instanceof UnderWay ? await asset.comingLeaves(wanted) : asset.leaves;
    if (leaves === 'late') return 'later';
    if (!leaves) return 'not-held';
    if (request.leaves) await this.#send({ type: 'leaves', request: id, size, untrustedLeaves: leaves }, wanted);
    const here = (index: number): boolean => underWay?.gives(index) ?? true;
    /** When one of them is here and the line is free, for until then more may be here. */
    const send = async (blocks: readonly number[]): Promise<boolean> => {
      if (underWay && !(await underWay.coming(blocks, wanted))) return false;
      await this.#sendBlock(id, asset.body, () => this.#allowance.pick(digest, blocks.filter(here)), wanted);
      return true;
    };
    if (request.type === 'pick') return (await send(request.blocks)) ? null : 'not-held';
    for (let index = request.first; index < endOf(request) && wanted(); index++)
      if (!(await send([index]))) return 'not-held';
    return null;
  }

  /** @param which asked when the line is free */
  async #sendBlock(
    request: number,
    body: Uint8Array<ArrayBuffer>,
    which: () => number | undefined,
    wanted: () => boolean,
  ): Promise<void> {
    const leave = this.outside ? await this.#allowance.line.take() : null;
    const index = wanted() ? which() : undefined;
    if (index === undefined) {
      leave?.();
      return;
    }
    await this.#send({ type: 'block', request, index, untrustedBlock: blockOf(body, index) }, wanted);
    if (leave) void this.#wire.drained().then(leave);
  }

  async #send(message: PeerMessage, wanted: () => boolean): Promise<void> {
    const { pace, maxPartBytes } = this.#allowance;
    const sent = await this.#wire.sendContent(message, pace, maxPartBytes, wanted);
    this.#allowance.count(sent);
  }

  #refuse({ request }: BlockRequest, reason: RefuseReason): void {
    this.#wire.send({ type: 'refuse', request, reason });
  }
}

/** The block behind the last that may be meant. */
const endOf = (request: BlockRequest): number =>
  request.type === 'pick' ? 1 + Math.max(...request.blocks) : request.first + request.count;
