/** A peer we hold a connection to: what it holds, what we asked of it, what it asked of us, and whether it is still there. */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, SwarmKey } from '../../protocol/ids.ts';
import { MAX_DIGESTS_PER_FRAME, MAX_DIGESTS_PER_NEIGHBOUR, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { PeerMessage, Want } from '../../protocol/peer-message.ts';
import {
  GONE_AFTER_MS,
  LATE_EXCUSES,
  LIVENESS_TICK_MS,
  MAX_FETCHING_PER_NEIGHBOUR,
  OUTSIDE_WINDOW_BYTES,
  PING_AFTER_MS,
  SILENT_PAUSE_MAX_MS,
  SILENT_PAUSE_MS,
} from '../core/limits.ts';
import type { Channel, Clock } from '../core/ports.ts';
import { Questions, type BlockQuestion, type Outcome } from './questions.ts';
import { Uploads, type UploadAllowance } from './uploads.ts';
import { Wire, type Delivered, type WireListener } from './wire.ts';

/** What is shared by URLs. */
export type Named = Extract<PeerMessage, { type: 'named' }>;

export interface NeighbourListener {
  opened(): void;
  /** It told its swarms, or what it holds. */
  told(): void;
  /** It says what is at URLs. */
  named(message: Named): void;
  /** It asks the keeper for these. */
  wants(swarm: SwarmKey, wants: readonly Want[]): void;
  /** It fetches something, and knows this of the line, bytes per second. */
  fetching(digest: Digest, lineRate: number): void;
  /** It said hello with these swarms. */
  greeted(): void;
  /** It broke the protocol. */
  broken(error: P2PError): void;
  closed(): void;
}

/** Ends of a question after which the neighbour still has the asset under way. */
const GOES_ON: ReadonlySet<Outcome> = new Set<Outcome>(['done', 'busy', 'aborted']);

export class Neighbour {
  readonly peer: PeerId;
  readonly connection: number;
  /** Is it at our site, so that nothing between us crosses the line? */
  readonly sameSite: boolean;
  /** The swarms that it is in, and those of which it told what it holds. */
  readonly swarms = new Set<SwarmKey>();
  readonly inventories = new Set<SwarmKey>();
  /** It said that it leaves: a closed channel is then no failure. */
  leaving = false;
  /** Has it said hello? Until then its swarms are not known. */
  greeted = false;
  /** Was the connection ever open? */
  wasOpen = false;
  /** When its channel opened, ms on the engine's clock; Infinity before. */
  openedAt = Infinity;
  /** Swarms of which we told it what we hold. */
  readonly told = new Set<SwarmKey>();
  readonly #clock: Clock;
  readonly #listener: NeighbourListener;
  readonly #wire: Wire;
  readonly #questions: Questions;
  readonly #uploads: Uploads;
  readonly #holds = new Set<Digest>();
  /** What it has under way: how many hops it is from who crosses, and which blocks it has so far, which it tells to other sites only. */
  readonly #fetching = new Map<Digest, { readonly hops: number; readonly blocks: ReadonlySet<number> }>();
  /** What it said it will bring, and when. */
  readonly #queued = new Map<Digest, number>();
  /** Until when it is passed over as a keeper, ms on the engine's clock. */
  heedlessUntil = 0;
  /** Since we heard of it, ms. A tick that comes late counts as one, so that who was starved accuses nobody. */
  #quietFor = 0;
  /** How often in a row it fell silent, or was slow; all that it owed at the time is one silence. */
  #silences = 0;
  /** Is it in a pause because it was silent, not because it is slow? */
  #excusable = false;
  #pausedUntil = 0;

  constructor(
    peer: PeerId,
    connection: number,
    sameSite: boolean,
    channel: Channel,
    clock: Clock,
    allowance: UploadAllowance,
    listener: NeighbourListener,
  ) {
    this.peer = peer;
    this.connection = connection;
    this.sameSite = sameSite;
    this.#clock = clock;
    this.#listener = listener;
    const wireListener: WireListener = {
      opened: () => {
        this.wasOpen = true;
        this.openedAt = clock.now();
        listener.opened();
      },
      message: (message) => this.#receive(message),
      progress: (request) => this.#progress(request),
      broken: (error) => listener.broken(error),
      closed: () => this.#closed(),
    };
    this.#wire = new Wire(channel, wireListener);
    if (!sameSite) this.#wire.windowBytes = OUTSIDE_WINDOW_BYTES;
    this.#questions = new Questions(clock, (message) => this.#wire.send(message));
    this.#uploads = new Uploads(this.#wire, allowance, !sameSite);
  }

  get open(): boolean {
    return this.#wire.open;
  }

  get blocksDue(): number {
    return this.#questions.blocksDue;
  }

  set maxMessageBytes(bytes: number) {
    this.#wire.maxMessageBytes = bytes;
  }

  /** How many assets it holds. */
  get holdings(): number {
    return this.#holds.size;
  }

  holds(digest: Digest): boolean {
    return this.#holds.has(digest);
  }

  /** How many hops it is from who crosses this asset, which it has under way; undefined: it has not. */
  hopsOf(digest: Digest): number | undefined {
    return this.#fetching.get(digest)?.hops;
  }

  /** Has it this block, as far as we know? Who crosses an asset has all of it in a moment. */
  has(digest: Digest, block: number): boolean {
    const coming = this.#fetching.get(digest);
    return coming ? coming.hops === 0 || coming.blocks.has(block) : this.#holds.has(digest);
  }

  /** When it said that it will bring this; undefined: it did not, or has begun. */
  queuedAt(digest: Digest): number | undefined {
    return this.#queued.get(digest);
  }

  /** Did it fall silent a short while ago? */
  get paused(): boolean {
    return this.#clock.now() < this.#pausedUntil;
  }

  /** How often in a row it fell silent of late. In time that is forgotten, and at once where it was excused. */
  get doubt(): number {
    return this.#clock.now() < this.#pausedUntil + SILENT_PAUSE_MAX_MS ? this.#silences : 0;
  }

  send(message: PeerMessage): void {
    this.#wire.send(message);
  }

  hello(swarms: readonly SwarmKey[]): void {
    this.send({ type: 'hello', version: PROTOCOL_VERSION, swarms });
  }

  /** Tells what we hold in a swarm; an empty list too, the first time, so that nobody waits for it. */
  have(swarm: SwarmKey, digests: readonly Digest[]): void {
    for (let i = 0; i === 0 || i < digests.length; i += MAX_DIGESTS_PER_FRAME)
      this.send({ type: 'have', swarm, digests: digests.slice(i, i + MAX_DIGESTS_PER_FRAME) });
    this.told.add(swarm);
  }

  async ask(question: BlockQuestion): Promise<Outcome> {
    const outcome = await this.#questions.ask(question);
    this.#excusable = outcome === 'silent' || (outcome !== 'slow' && this.#excusable);
    if ((outcome === 'silent' || outcome === 'slow') && !this.paused)
      this.#pausedUntil = this.#clock.now() + Math.min(SILENT_PAUSE_MAX_MS, SILENT_PAUSE_MS * 2 ** this.#silences++);
    if (outcome === 'done') this.#silences = this.#pausedUntil = 0;
    if (outcome === 'refused') this.#holds.delete(question.digest);
    if (outcome === 'later') this.#willBring(question.digest);
    if (question.hops !== null && !GOES_ON.has(outcome)) this.#fetching.delete(question.digest);
    return outcome;
  }

  /** Pings a quiet neighbour and closes one that is gone; to be called each LIVENESS_TICK_MS. */
  checkLiveness(): void {
    if (!this.open) return;
    this.#quietFor += LIVENESS_TICK_MS;
    if (this.#quietFor >= GONE_AFTER_MS) this.close();
    else if (this.#quietFor % PING_AFTER_MS === 0) this.send({ type: 'ping', request: 0 });
  }

  /** Says goodbye and closes. */
  leave(): void {
    this.send({ type: 'bye' });
    this.leaving = true;
    this.close();
  }

  close(): void {
    this.#wire.close();
  }

  #progress(request: number): void {
    this.#quietFor = 0;
    // What we gave up comes late: it is slow, not silent.
    if (!this.#questions.progress(request) && this.#excusable && this.#silences <= LATE_EXCUSES)
      this.#pausedUntil = -Infinity;
  }

  #receive(message: Delivered): void {
    this.#quietFor = 0;
    switch (message.type) {
      case 'hello':
        if (message.version !== PROTOCOL_VERSION) {
          this.leaving = true;
          return this.close();
        }
        this.greeted = true;
        this.swarms.clear();
        for (const swarm of message.swarms) this.swarms.add(swarm);
        return this.#listener.greeted();
      case 'have':
        for (const digest of message.digests) {
          if (this.#holds.size < MAX_DIGESTS_PER_NEIGHBOUR) this.#holds.add(digest);
          this.#forget(digest);
        }
        if (this.swarms.has(message.swarm)) this.inventories.add(message.swarm);
        return this.#listener.told();
      case 'lost':
        for (const digest of message.digests) {
          this.#holds.delete(digest);
          this.#forget(digest);
        }
        return this.#listener.told();
      case 'named':
        return this.#listener.named(message);
      case 'fetching':
        return this.#fetches(message);
      case 'bitfield':
        return this.#shows(message.digest, message.blocks);
      case 'queued':
        for (const digest of message.digests.slice(0, MAX_FETCHING_PER_NEIGHBOUR)) this.#willBring(digest);
        return this.#listener.told();
      case 'want':
        return this.#listener.wants(message.swarm, message.wants);
      case 'request':
      case 'pick':
        return this.#uploads.request(message);
      case 'cancel':
        return this.#uploads.cancel(message.request);
      case 'leaves':
      case 'block':
      case 'refuse':
        return this.#questions.answer(message);
      case 'ping':
        return this.send({ type: 'pong', request: message.request });
      case 'pong':
        return;
      case 'bye':
        this.leaving = true;
        return this.close();
      default:
        return message satisfies never;
    }
  }

  #fetches({ digest, hops, lineRate }: Extract<PeerMessage, { type: 'fetching' }>): void {
    const known = this.#fetching.get(digest);
    if (!known && this.#fetching.size >= MAX_FETCHING_PER_NEIGHBOUR) return;
    this.#fetching.set(digest, { hops, blocks: known?.blocks ?? new Set() });
    this.#queued.delete(digest);
    this.#questions.renewed(digest, hops);
    this.#listener.fetching(digest, lineRate);
  }

  /** Of what it does not fetch, it is of no interest which blocks it has. */
  #shows(digest: Digest, blocks: readonly number[]): void {
    const coming = this.#fetching.get(digest);
    if (!coming) return;
    this.#fetching.set(digest, { ...coming, blocks: new Set(blocks) });
    this.#listener.told();
  }

  /** Words are no progress: the first time counts. */
  #willBring(digest: Digest): void {
    if (!this.#queued.has(digest)) this.#queued.set(digest, this.#clock.now());
    if (this.#queued.size > MAX_FETCHING_PER_NEIGHBOUR)
      for (const oldest of this.#queued.keys()) if (this.#queued.delete(oldest)) break;
  }

  #forget(digest: Digest): void {
    this.#fetching.delete(digest);
    this.#queued.delete(digest);
  }

  #closed(): void {
    this.#questions.close('gone');
    this.#uploads.close();
    this.#listener.closed();
  }
}
