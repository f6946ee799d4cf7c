import { CHANNEL_REFILL_BYTES } from '../../../mesh/core/limits.ts';
import type { Channel, ChannelListener } from '../../../mesh/core/ports.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a line between two peers is like. */
export interface LineOptions {
  /** One way, ms. */
  readonly latency: number;
  readonly bytesPerMillisecond: number;
  /** As `sctp.maxMessageSize`, bytes: a longer message is an error of the sender. */
  readonly maxMessageSize: number;
}

/** One end of a data channel in memory: ordered, reliable, with latency, a rate and a buffer. */
export class LinkEnd implements Channel {
  other: LinkEnd | null = null;
  /** Cut: nothing arrives any more, and nobody is told. */
  isCut = false;
  bufferedAmount = 0;
  /** Bytes handed over. */
  sent = 0;
  state: 'opening' | 'open' | 'closed' = 'opening';
  readonly #clock: VirtualClock;
  readonly #line: LineOptions;
  readonly #spy: (message: Uint8Array<ArrayBuffer>) => void;
  #listener: ChannelListener | null = null;
  #busyUntil = 0;
  /** Messages that are not on the wire yet, in order. */
  readonly #queue: { readonly begins: number; readonly ends: number }[] = [];
  #hungUpAt = Infinity;

  /** @param spy sees each message when it is handed over */
  constructor(clock: VirtualClock, line: LineOptions, spy: (message: Uint8Array<ArrayBuffer>) => void) {
    this.#clock = clock;
    this.#line = line;
    this.#spy = spy;
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.state !== 'open') return;
    if (message.length > this.#line.maxMessageSize)
      throw new TypeError(`${message.length} bytes are more than maxMessageSize`);
    this.#spy(message);
    const copy = message.slice();
    const begins = Math.max(this.#clock.now(), this.#busyUntil);
    this.#busyUntil = begins + copy.length / this.#line.bytesPerMillisecond;
    this.#queue.push({ begins, ends: this.#busyUntil });
    this.bufferedAmount += copy.length;
    this.sent += copy.length;
    this.#clock.after(this.#busyUntil - this.#clock.now(), () => {
      this.#queue.shift();
      if (!this.isCut && begins <= this.#hungUpAt) this.#onTheWire(copy);
    });
  }

  /** Ends the channel; what was handed over still arrives. */
  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    const { other } = this;
    // In the same two steps as a message, so that it comes behind the last one.
    this.#clock.after(this.#busyUntil - this.#clock.now(), () => {
      this.#clock.after(this.#line.latency, () => {
        if (!this.isCut) other?.closedByOther();
      });
    });
    this.#clock.after(0, () => this.#listener?.closed());
  }

  /** Ends the whole connection: what is not on the wire yet never goes. */
  hangUp(): void {
    this.#hungUpAt = Math.min(this.#hungUpAt, this.#clock.now());
    const begun = this.#queue.filter(({ begins }) => begins <= this.#clock.now());
    this.#busyUntil = Math.max(this.#clock.now(), ...begun.map(({ ends }) => ends));
    this.close();
  }

  open(): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    this.#listener?.opened();
  }

  closedByOther(): void {
    if (this.state === 'closed' || this.isCut) return;
    this.state = 'closed';
    this.#listener?.closed();
  }

  #onTheWire(message: Uint8Array<ArrayBuffer>): void {
    const before = this.bufferedAmount;
    this.bufferedAmount -= message.length;
    const { other } = this;
    this.#clock.after(this.#line.latency, () => {
      if (!this.isCut && other?.state === 'open') other.#listener?.received(message);
    });
    if (before > CHANNEL_REFILL_BYTES && this.bufferedAmount <= CHANNEL_REFILL_BYTES) this.#listener?.drained();
  }
}
