/** Hands our assets to neighbours: one queue each, all within the upload cap. */
import { blockCount, blockLength } from '../../protocol/digest.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES, MAX_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { PeerMessage, RefuseReason } from '../../protocol/peer-message.ts';
import { FOLLOWERS_PER_ASSET, FOLLOWS_FROM_NEIGHBOUR, REQUESTS_FROM_NEIGHBOUR } from '../core/limits.ts';
import type { Clock, Store, StoredAsset } from '../core/ports.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { UnderWay } from './under-way.ts';
import type { Wire } from './wire.ts';

type BlockRequest = Extract<PeerMessage, { type: 'request' }>;

/** What all uploads of one engine share. */
export class UploadAllowance {
  readonly #store: Store;
  readonly #underWay: (digest: Digest) => UnderWay | undefined;
  readonly #clock: Clock;
  readonly #enabled: boolean;
  readonly #bucket: TokenBucket | null;
  readonly #uploaded: (bytes: number) => void;
  #turns: Promise<void> = Promise.resolve();
  /** Which neighbours take which of our assets just now. */
  readonly #takers = new Map<Digest, Set<Uploads>>();
  /** Bytes of one message: a 64th of a second of a capped line, so that all of a dozen neighbours that ask at once see it move. */
  readonly maxPartBytes: number;

  constructor(
    clock: Clock,
    store: Store,
    underWay: (digest: Digest) => UnderWay | undefined,
    options: { enabled: boolean; maxUpload: number | null },
    uploaded: (bytes: number) => void,
  ) {
    this.#clock = clock;
    this.#store = store;
    this.#underWay = underWay;
    this.#enabled = options.enabled;
    const { maxUpload } = options;
    this.maxPartBytes =
      maxUpload === null ? MAX_MESSAGE_BYTES : Math.max(1024, Math.min(MAX_MESSAGE_BYTES, Math.floor(maxUpload / 512)));
    this.#bucket = maxUpload === null ? null : new TokenBucket(maxUpload, this.maxPartBytes, clock.now());
    this.#uploaded = uploaded;
  }

  /** Has it a place among those who take this asset from us? The others take it from those, who have it under way. */
  admits(digest: Digest, taker: Uploads): boolean {
    const takers = this.#takers.get(digest) ?? new Set();
    if (
      !takers.has(taker) &&
      [...takers].filter(({ outside }) => outside === taker.outside).length >= FOLLOWERS_PER_ASSET
    )
      return false;
    this.#takers.set(digest, takers.add(taker));
    return true;
  }

  release(digest: Digest, taker: Uploads): void {
    const takers = this.#takers.get(digest);
    takers?.delete(taker);
    if (takers?.size === 0) this.#takers.delete(digest);
  }

  find({ digest }: BlockRequest): StoredAsset | UnderWay | undefined {
    return this.#enabled ? (this.#store.get(digest) ?? this.#underWay(digest)) : undefined;
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
    const asset = this.#allowance.find(request);
    if (asset instanceof UnderWay && this.#handing >= FOLLOWS_FROM_NEIGHBOUR) return this.#refuse(request, 'busy');
    if (asset && !this.#allowance.admits(request.digest, this)) return this.#refuse(request, 'busy');
    if (asset instanceof UnderWay) {
      void this.#handOn(request, asset);
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
    const asset = this.#allowance.find(request);
    if (!asset || asset instanceof UnderWay || request.first + request.count > blockCount(asset.size)) {
      this.#refuse(request, 'not-held');
      return;
    }
    const id = request.request;
    const wanted = (): boolean => this.#queue.has(id);
    if (request.leaves)
      await this.#send({ type: 'leaves', request: id, size: asset.size, untrustedLeaves: asset.leaves }, wanted);
    for (let index = request.first; index < request.first + request.count; index++) {
      if (!wanted()) return;
      const start = index * BLOCK_BYTES;
      const untrustedBlock = asset.body.subarray(start, start + blockLength(asset.size, index));
      await this.#send({ type: 'block', request: id, index, untrustedBlock }, wanted);
    }
  }

  /** Each block as soon as we have it and it is checked. */
  async #handOn(request: BlockRequest, asset: UnderWay): Promise<void> {
    const id = request.request;
    const wanted = (): boolean => this.#follows.has(id) && this.#wire.open;
    this.#follows.set(id, asset);
    this.#handing++;
    asset.follow();
    try {
      const refusal = await this.#handAll(request, asset, wanted);
      if (refusal && wanted()) this.#refuse(request, refusal);
    } finally {
      this.#follows.delete(id);
      this.#handing--;
      this.#leavePlace(request.digest);
      asset.unfollow();
    }
  }

  /** Null: all of it went, or is not wanted any more. */
  async #handAll(request: BlockRequest, asset: UnderWay, wanted: () => boolean): Promise<RefuseReason | null> {
    const id = request.request;
    const end = request.first + request.count;
    if (end > blockCount(asset.name.size)) return 'not-held';
    const leaves = await asset.comingLeaves(wanted);
    if (leaves === 'late') return 'later';
    if (!leaves) return 'not-held';
    if (request.leaves)
      await this.#send({ type: 'leaves', request: id, size: asset.name.size, untrustedLeaves: leaves }, wanted);
    for (let index = request.first; index < end && wanted(); index++) {
      const untrustedBlock = await asset.comingBlock(index, wanted);
      if (!untrustedBlock) return 'not-held';
      await this.#send({ type: 'block', request: id, index, untrustedBlock }, wanted);
    }
    return null;
  }

  async #send(message: PeerMessage, wanted: () => boolean): Promise<void> {
    const { pace, maxPartBytes } = this.#allowance;
    const sent = await this.#wire.sendContent(message, pace, Math.max(maxPartBytes, 4 * FRAME_HEADER_BYTES), wanted);
    this.#allowance.count(sent);
  }

  #refuse({ request }: BlockRequest, reason: RefuseReason): void {
    this.#wire.send({ type: 'refuse', request, reason });
  }
}
