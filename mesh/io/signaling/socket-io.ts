/**
 * One connection to a socket.io server, from the first packet to the last: events both ways, and questions with answers. Of our own, for
 * socket.io's client is a third of what a page with an image may weigh (docs/decisions/0012). Owned by the SocketSignaling.
 */
import { P2PError } from '../../../protocol/error.ts';
import { ANSWER_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import type { EngineIOSocket, OpenEngineIO } from './engine-io.ts';
import { CONNECT, eventPacket, parsePacket } from './packet.ts';

export interface SocketIOListener {
  /** The server let us in. */
  connected(): void;
  event(name: string, untrusted: unknown): void;
}

/** How a connection ended. `reason` is for people. */
export interface Ending {
  /** How far it had come when it ended. `connecting`: there is no server, or no way to it; `reached`: it did not let us in; `dismissed`: it sent us away. */
  readonly was: 'connecting' | 'reached' | 'connected' | 'dismissed';
  readonly reason: string;
  /** Seconds after which the server wants to be asked again; 0: it does not say. */
  readonly retryAfter: number;
}

interface Question {
  readonly answer: (untrusted: unknown) => void;
  readonly fail: (reason: string) => void;
}

export class SocketIO {
  /** Resolves when the connection is over, also where there never was one. */
  readonly ended: Promise<Ending>;
  readonly #clock: Clock;
  readonly #listener: SocketIOListener;
  readonly #questions = new Map<number, Question>();
  readonly #cancelTimeout: () => void;
  #end: (ending: Ending) => void = () => undefined;
  #socket: EngineIOSocket | null = null;
  /** Null: it is over. */
  #state: Exclude<Ending['was'], 'dismissed'> | null = 'connecting';
  #asked = 0;

  /** @param server its web origin */
  constructor(open: OpenEngineIO, server: string, clock: Clock, listener: SocketIOListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#cancelTimeout = clock.after(CONNECT_TIMEOUT_MS, () => this.close('no answer in time'));
    try {
      this.#socket = open(
        server,
        {
          opened: () => {
            if (this.#state !== 'connecting') return;
            this.#state = 'reached';
            this.#socket?.send(CONNECT);
          },
          received: (message) => this.#received(message),
          closed: (reason) => this.close(reason),
        },
        clock,
      );
    } catch (error) {
      this.close(String(error)); // A policy of the page forbids it.
    }
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  emit(name: string, value: object): void {
    if (this.connected) this.#socket?.send(eventPacket(name, value, ''));
  }

  /**
   * Asks, and resolves with the answer.
   * @throws P2PError `signaling-unreachable` where there is no connection, or no answer in time
   */
  ask(name: string, value: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#asked++;
      const end = (): void => {
        cancel();
        this.#questions.delete(id);
      };
      const fail = (reason: string): void => {
        end();
        reject(new P2PError('signaling-unreachable', reason, { name }));
      };
      const cancel = this.#clock.after(ANSWER_TIMEOUT_MS, () => fail('no answer in time'));
      const answer = (untrusted: unknown): void => {
        end();
        resolve(untrusted);
      };
      this.#questions.set(id, { answer, fail });
      if (this.connected) this.#socket?.send(eventPacket(name, value, id));
      else fail('not connected');
    });
  }

  close(reason: string, was: Ending['was'] = this.#state ?? 'connecting', retryAfter = 0): void {
    if (!this.#state) return;
    this.#state = null;
    this.#cancelTimeout();
    this.#socket?.close();
    for (const { fail } of this.#questions.values()) fail(reason);
    this.#end({ reason, was, retryAfter });
  }

  #received(untrusted: string): void {
    if (!this.#state) return;
    const packet = parsePacket(untrusted);
    switch (packet?.kind) {
      case 'connect':
        this.#cancelTimeout();
        this.#state = 'connected';
        return this.#listener.connected();
      case 'event':
        return this.#listener.event(packet.name, packet.untrusted);
      case 'answer':
        return this.#questions.get(packet.id)?.answer(packet.untrusted);
      case 'disconnect':
        return this.close('the server ended the connection', 'dismissed');
      case 'refused':
        return this.close(packet.reason, undefined, packet.retryAfter);
      case undefined:
        return this.close('the server speaks no socket.io');
      default:
        return packet satisfies never;
    }
  }
}
