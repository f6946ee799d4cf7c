/** Hands our assets to neighbours: one queue each, all within the upload cap. */
import { blockCount, blockLength } from '../../protocol/digest.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES, MAX_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { PeerMessage } from '../../protocol/peer-message.ts';
import { REQUESTS_FROM_NEIGHBOUR } from '../core/limits.ts';
import type { Clock, Store, StoredAsset } from '../core/ports.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import type { Wire } from './wire.ts';

type BlockRequest = Extract<PeerMessage, { type: 'request' }>;

/** What all uploads of one engine share. */
export class UploadAllowance {
  readonly store: Store;
  readonly #clock: Clock;
  readonly #enabled: boolean;
  readonly #bucket: TokenBucket | null;
  readonly #uploaded: (bytes: number) => void;
  #turns: Promise<void> = Promise.resolve();
  /** Bytes of one message: a 64th of a second of a capped line, so that all of a dozen neighbours that ask at once see it move. */
  readonly maxPartBytes: number;

  constructor(
    clock: Clock,
    store: Store,
    options: { enabled: boolean; maxUpload: number | null },
    uploaded: (bytes: number) => void,
  ) {
    this.#clock = clock;
    this.store = store;
    this.#enabled = options.enabled;
    const { maxUpload } = options;
    this.maxPartBytes =
      maxUpload === null ? MAX_MESSAGE_BYTES : Math.max(1024, Math.min(MAX_MESSAGE_BYTES, Math.floor(maxUpload / 512)));
    this.#bucket = maxUpload === null ? null : new TokenBucket(maxUpload, this.maxPartBytes, clock.now());
    this.#uploaded = uploaded;
  }

  find(request: BlockRequest): StoredAsset | undefined {
    return this.#enabled ? this.store.get(request.digest) : undefined;
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

/** The uploads to one neighbour, served in the order asked. Owned by a Neighbour. */
export class Uploads {
  readonly #wire: Wire;
  readonly #allowance: UploadAllowance;
  readonly #queue = new Map<number, BlockRequest>();
  #serving = false;

  constructor(wire: Wire, allowance: UploadAllowance) {
    this.#wire = wire;
    this.#allowance = allowance;
  }

  request(request: BlockRequest): void {
    if (this.#queue.size >= REQUESTS_FROM_NEIGHBOUR || this.#queue.has(request.request)) {
      this.#wire.send({ type: 'refuse', request: request.request, reason: 'busy' });
      return;
    }
    this.#queue.set(request.request, request);
    if (!this.#serving) void this.#serve();
  }

  cancel(request: number): void {
    this.#queue.delete(request);
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    for (let next = this.#next(); next && this.#wire.open; next = this.#next()) {
      await this.#answer(next);
      this.#queue.delete(next.request);
    }
    this.#serving = false;
  }

  #next(): BlockRequest | undefined {
    return this.#queue.values().next().value;
  }

  async #answer(request: BlockRequest): Promise<void> {
    const asset = this.#allowance.find(request);
    if (!asset || request.first + request.count > blockCount(asset.size)) {
      this.#wire.send({ type: 'refuse', request: request.request, reason: 'not-held' });
      return;
    }
    if (request.leaves)
      await this.#send(request, {
        type: 'leaves',
        request: request.request,
        size: asset.size,
        untrustedLeaves: asset.leaves,
      });
    for (let index = request.first; index < request.first + request.count; index++) {
      if (!this.#queue.has(request.request)) return;
      const start = index * BLOCK_BYTES;
      const untrustedBlock = asset.body.subarray(start, start + blockLength(asset.size, index));
      await this.#send(request, { type: 'block', request: request.request, index, untrustedBlock });
    }
  }

  async #send(request: BlockRequest, message: PeerMessage): Promise<void> {
    const { pace, maxPartBytes } = this.#allowance;
    const sent = await this.#wire.sendContent(message, pace, Math.max(maxPartBytes, 4 * FRAME_HEADER_BYTES), () =>
      this.#queue.has(request.request),
    );
    this.#allowance.count(sent);
  }
}
