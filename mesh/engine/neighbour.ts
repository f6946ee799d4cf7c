/** A peer we hold a connection to: what it holds, what we asked of it, what it asked of us, and whether it is still there. */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, SwarmKey } from '../../protocol/ids.ts';
import { MAX_DIGESTS_PER_FRAME, MAX_DIGESTS_PER_NEIGHBOUR, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { PeerMessage } from '../../protocol/peer-message.ts';
import { GONE_AFTER_MS, LATE_EXCUSES, PING_AFTER_MS, SILENT_PAUSE_MAX_MS, SILENT_PAUSE_MS } from '../core/limits.ts';
import type { Channel, Clock } from '../core/ports.ts';
import { Questions, type BlockQuestion, type Outcome } from './questions.ts';
import { Uploads, type UploadAllowance } from './uploads.ts';
import { Wire } from './wire.ts';

export interface NeighbourListener {
  opened(neighbour: Neighbour): void;
  /** It told its swarms, or what it holds. */
  told(neighbour: Neighbour): void;
  /** It said hello with these swarms. */
  greeted(neighbour: Neighbour): void;
  /** It broke the protocol. */
  broken(neighbour: Neighbour, error: P2PError): void;
  closed(neighbour: Neighbour): void;
}

export class Neighbour {
  readonly peer: PeerId;
  readonly connection: number;
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
  #heardAt: number;
  #pingedAt = 0;
  #silences = 0;
  /** Is it in a pause because it was silent, not because it is slow? */
  #excusable = false;
  #pausedUntil = 0;

  constructor(
    peer: PeerId,
    connection: number,
    channel: Channel,
    clock: Clock,
    allowance: UploadAllowance,
    listener: NeighbourListener,
  ) {
    this.peer = peer;
    this.connection = connection;
    this.#clock = clock;
    this.#listener = listener;
    this.#heardAt = clock.now();
    this.#wire = new Wire(channel, {
      opened: () => {
        this.wasOpen = true;
        this.openedAt = clock.now();
        listener.opened(this);
      },
      message: (message) => this.#receive(message),
      progress: (request) => this.#progress(request),
      broken: (error) => listener.broken(this, error),
      closed: () => this.#closed(),
    });
    this.#questions = new Questions(clock, (message) => this.#wire.send(message));
    this.#uploads = new Uploads(this.#wire, allowance);
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

  holds(digest: Digest): boolean {
    return this.#holds.has(digest);
  }

  /** Did it fall silent a short while ago? */
  get paused(): boolean {
    return this.#clock.now() < this.#pausedUntil;
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
    if (outcome === 'silent' || outcome === 'slow')
      this.#pausedUntil = this.#clock.now() + Math.min(SILENT_PAUSE_MAX_MS, SILENT_PAUSE_MS * 2 ** this.#silences++);
    if (outcome === 'done') this.#silences = this.#pausedUntil = 0;
    if (outcome === 'refused') this.#holds.delete(question.digest);
    return outcome;
  }

  /** Pings a quiet neighbour and closes one that is gone; to be called now and then. */
  checkLiveness(): void {
    if (!this.open) return;
    const now = this.#clock.now();
    if (now - this.#heardAt >= GONE_AFTER_MS) this.close();
    else if (now - Math.max(this.#heardAt, this.#pingedAt) >= PING_AFTER_MS) {
      this.#pingedAt = now;
      this.send({ type: 'ping', request: 0 });
    }
  }

  close(): void {
    this.#wire.close();
  }

  #progress(request: number): void {
    this.#heardAt = this.#clock.now();
    // What we gave up comes late: it is slow, not silent.
    if (!this.#questions.progress(request) && this.#excusable && this.#silences <= LATE_EXCUSES) this.#pausedUntil = 0;
  }

  #receive(message: PeerMessage): void {
    this.#heardAt = this.#clock.now();
    switch (message.type) {
      case 'hello':
        if (message.version !== PROTOCOL_VERSION) {
          this.leaving = true;
          return this.close();
        }
        this.greeted = true;
        this.swarms.clear();
        for (const swarm of message.swarms) this.swarms.add(swarm);
        return this.#listener.greeted(this);
      case 'have':
        for (const digest of message.digests) if (this.#holds.size < MAX_DIGESTS_PER_NEIGHBOUR) this.#holds.add(digest);
        if (this.swarms.has(message.swarm)) this.inventories.add(message.swarm);
        return this.#listener.told(this);
      case 'lost':
        for (const digest of message.digests) this.#holds.delete(digest);
        return this.#listener.told(this);
      case 'request':
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

  #closed(): void {
    this.#questions.close('gone');
    this.#listener.closed(this);
  }
}
