import { carriesContent } from '../../../protocol/peer-message.ts';
import { CHANNEL_REFILL_BYTES } from '../../../mesh/core/limits.ts';
import type { Channel, ChannelListener } from '../../../mesh/core/ports.ts';
import { Flow, type Route } from './flow.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a link needs of its network. */
export interface LinkOptions {
  /** As `sctp.maxMessageSize`, bytes: a longer message is an error of the sender. */
  readonly maxMessageSize: number;
  /** Sees each message when it is handed over, and gives what goes over the wire; null: it is lost. */
  readonly handedOver: (message: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | null;
}

/** The last parcel of a flow: the end is closed. */
const CLOSED = null;

/** What is kept for a listener that is yet to come. */
const MAX_EARLY = 64;

/** One end of a data channel in memory: ordered, reliable, with a buffer, over a route. */
export class LinkEnd implements Channel {
  other: LinkEnd | null = null;
  /** Cut: nothing arrives any more, and nobody is told. */
  isCut = false;
  bufferedAmount = 0;
  /** One way, ms; 0 before it is connected. */
  latency = 0;
  state: 'opening' | 'open' | 'closed' = 'opening';
  readonly #clock: VirtualClock;
  readonly #options: LinkOptions;
  #flow: Flow<Uint8Array<ArrayBuffer> | typeof CLOSED> | null = null;
  #listener: ChannelListener | null = null;
  /** What happened before anybody listened. */
  readonly #early: ((listener: ChannelListener) => void)[] = [];

  constructor(clock: VirtualClock, options: LinkOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener;
    // As with a real channel, nothing happens while the listener is still being made.
    if (this.#early.length > 0) queueMicrotask(() => this.#catchUp(listener));
  }

  /** The other end is found: messages go this way. */
  connect(route: Route): void {
    this.latency = route.latency;
    this.#flow = new Flow(this.#clock, route, {
      left: (_, bytes) => this.#left(bytes),
      arrived: (message) => this.#arrived(message),
    });
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.state !== 'open' || !this.#flow) return;
    const { maxMessageSize, handedOver } = this.#options;
    if (message.length > maxMessageSize) throw new TypeError(`${message.length} bytes are more than maxMessageSize`);
    const sent = handedOver(message.slice());
    if (!sent) return;
    this.bufferedAmount += sent.length;
    this.#flow.send(sent, sent.length, carriesContent(sent[0] ?? 0));
  }

  /** Ends the channel; what was handed over still arrives. */
  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#flow?.send(CLOSED, 0);
    this.#clock.after(0, () => this.#tell((listener) => listener.closed()));
  }

  /** Ends the whole connection: what is not on the wire yet never goes. */
  hangUp(): void {
    this.#flow?.hangUp();
    // What was handed over before the close is gone, its end is told all the same.
    if (this.state === 'closed') this.#flow?.send(CLOSED, 0);
    this.close();
  }

  open(): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    this.#tell((listener) => listener.opened());
  }

  /** Nothing comes or goes any more on either side. */
  cut(): void {
    for (const end of [this, this.other]) {
      if (!end) continue;
      end.isCut = true;
      end.#flow?.hangUp();
    }
  }

  #left(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount -= bytes;
    if (before > CHANNEL_REFILL_BYTES && this.bufferedAmount <= CHANNEL_REFILL_BYTES) this.#listener?.drained();
  }

  #arrived(message: Uint8Array<ArrayBuffer> | typeof CLOSED): void {
    const { other } = this;
    if (this.isCut || !other || other.state === 'closed') return;
    if (message) {
      if (other.state === 'open') other.#tell((listener) => listener.received(message));
      return;
    }
    other.state = 'closed';
    other.#tell((listener) => listener.closed());
  }

  #catchUp(listener: ChannelListener): void {
    const early = this.#early.splice(0);
    if (this.state === 'closed') listener.closed();
    else for (const happened of early) happened(listener);
  }

  #tell(happened: (listener: ChannelListener) => void): void {
    if (this.#listener) happened(this.#listener);
    else if (this.#early.length < MAX_EARLY) this.#early.push(happened);
  }
}
