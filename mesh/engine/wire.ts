/**
 * One neighbour's data channel as a flow of messages: frames out and in, within the channel's message size and with back-pressure.
 * Owned by a Neighbour.
 */
import { P2PError } from '../../protocol/error.ts';
import { badFrame, FrameAssembler, FrameWriter } from '../../protocol/frame.ts';
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../protocol/limits.ts';
import { carriesContent, encodeInPieces, parsePeerMessage, type PeerMessage } from '../../protocol/peer-message.ts';
import {
  CHANNEL_REFILL_BYTES,
  CONFIRM_BYTES,
  CONTENT_MESSAGE_BYTES,
  MAX_UNREAD_BYTES,
  SITE_WINDOW_BYTES,
} from '../core/limits.ts';
import type { Channel } from '../core/ports.ts';

/** A message that means something to more than the wire. */
export type Delivered = Exclude<PeerMessage, { type: 'credit' }>;

export interface WireListener {
  opened(): void;
  message(message: Delivered): void;
  /** Bytes of an answer to this request came in. */
  progress(request: number): void;
  /** The other end broke the protocol; the channel is closed. */
  broken(error: P2PError): void;
  closed(): void;
}

/** Waits until this many bytes may go; the limit on uploads. */
export type Pace = (bytes: number) => Promise<void>;

/** Where messages are written; a channel copies what it sends. One for all wires: a message is written and sent in one go. */
const scratch = new Uint8Array(MAX_MESSAGE_BYTES);

export class Wire {
  /** Largest message that the other end takes, bytes; raised once the connection says more. */
  maxMessageBytes = MIN_MESSAGE_BYTES;
  /** Content that may be on its way, and not confirmed by the other end, bytes. */
  windowBytes = SITE_WINDOW_BYTES;
  readonly #channel: Channel;
  readonly #listener: WireListener;
  readonly #assembler = new FrameAssembler((type, request, bytes) => {
    if (!carriesContent(type)) return;
    this.#confirm(bytes);
    this.#listener.progress(request);
  });
  readonly #waiting: (() => void)[] = [];
  /** Bytes of content: sent and not confirmed, and received and not confirmed. */
  #onTheWay = 0;
  #unconfirmed = 0;
  #state: 'opening' | 'open' | 'closed' = 'opening';

  constructor(channel: Channel, listener: WireListener) {
    this.#channel = channel;
    this.#listener = listener;
    channel.listen({
      opened: () => this.#opened(),
      received: (message) => this.#received(message),
      drained: () => this.#release(),
      closed: () => this.#closed(),
    });
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Sends at once. For short messages; content goes through `sendContent`. */
  send(message: PeerMessage): void {
    if (!this.open) return;
    // Who asks and asks and does not read would have us keep the answers.
    if (this.#channel.bufferedAmount > MAX_UNREAD_BYTES) {
      this.close();
      return;
    }
    const writer = new FrameWriter(encodeInPieces(message));
    while (!writer.done) this.#send(writer, writer.nextBytes(this.#messageBytes));
  }

  /** Sends as fast as the other end confirms and `pace` allows, and stops early when `wanted` says no or the channel closes. Resolves with the payload bytes sent. */
  async sendContent(message: PeerMessage, pace: Pace, maxPartBytes: number, wanted: () => boolean): Promise<number> {
    const writer = new FrameWriter(encodeInPieces(message));
    let sent = 0;
    while (!writer.done) {
      const bytes = writer.nextBytes(Math.min(this.#messageBytes, maxPartBytes, CONTENT_MESSAGE_BYTES));
      await pace(bytes);
      while (this.open && this.#onTheWay + bytes > this.windowBytes) await this.#change();
      if (!this.open) break;
      // A frame that was begun is ended, or the other end would keep its half for ever.
      if (sent === 0 && !wanted()) break;
      this.#send(writer, bytes);
      this.#onTheWay += bytes;
      sent += bytes;
    }
    return sent;
  }

  /** Resolves when hardly anything waits for its turn on the wire any more, or the channel is closed. */
  async drained(): Promise<void> {
    while (this.open && this.#channel.bufferedAmount > CHANNEL_REFILL_BYTES) await this.#change();
  }

  close(): void {
    this.#channel.close();
    this.#closed();
  }

  #send(writer: FrameWriter, bytes: number): void {
    const part = scratch.subarray(0, bytes);
    writer.write(part);
    this.#channel.send(part);
  }

  get #messageBytes(): number {
    return Math.min(this.maxMessageBytes, MAX_MESSAGE_BYTES);
  }

  #opened(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#listener.opened();
  }

  #received(untrustedMessage: Uint8Array<ArrayBuffer> | null): void {
    if (this.#state === 'closed') return;
    try {
      if (!untrustedMessage) throw badFrame('bytes', 'text');
      const frame = this.#assembler.accept(untrustedMessage);
      const message = frame && parsePeerMessage(frame);
      if (message?.type === 'credit') {
        this.#onTheWay = Math.max(0, this.#onTheWay - message.bytes);
        this.#release();
      } else if (message) this.#listener.message(message);
    } catch (error) {
      if (!(error instanceof P2PError)) throw error;
      this.close();
      this.#listener.broken(error);
    }
  }

  /** Now and then, not each part: it is a message too. */
  #confirm(bytes: number): void {
    this.#unconfirmed += bytes;
    if (this.#unconfirmed < CONFIRM_BYTES) return;
    this.send({ type: 'credit', bytes: this.#unconfirmed });
    this.#unconfirmed = 0;
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#release();
    this.#listener.closed();
  }

  /** Resolves when something was confirmed or drained, or the channel closed. */
  #change(): Promise<void> {
    return new Promise((resume) => this.#waiting.push(resume));
  }

  #release(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
