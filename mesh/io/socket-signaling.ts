import { WebSocket } from 'engine.io-client';
import { Manager, type Socket } from 'socket.io-client';
import { P2PError } from '../../protocol/error.ts';
import {
  parseClaimReply,
  parseDone,
  parseJoinReply,
  parseRelayedSignal,
  parseSwarmState,
} from '../../protocol/server-message.ts';
import {
  SIGNALING_PATH,
  type ClaimReply,
  type ClaimRequest,
  type Done,
  type JoinReply,
  type JoinRequest,
  type LeaveRequest,
  type Refusal,
  type SignalRequest,
} from '../../protocol/signaling.ts';
import { ANSWER_TIMEOUT_MS, CONNECT_TIMEOUT_MS, RECONNECT_AFTER_MAX_MS, RECONNECT_AFTER_MS } from '../core/limits.ts';
import type { Signaling, SignalingListener, Trace } from '../core/ports.ts';

/** The signaling server over socket.io. Reconnects by itself, with jitter and back-off. */
export class SocketSignaling implements Signaling {
  readonly #url: string;
  readonly #trace: Trace;
  #socket: Socket | null = null;
  #polling: Promise<void> | null = null;

  /** @param url the server's origin */
  constructor(url: string, trace: Trace) {
    this.#url = url;
    this.#trace = trace;
  }

  open(listener: SignalingListener): void {
    const manager = new Manager(this.#url, {
      path: SIGNALING_PATH,
      transportImplementations: [WebSocket],
      reconnectionDelay: RECONNECT_AFTER_MS,
      reconnectionDelayMax: RECONNECT_AFTER_MAX_MS,
      timeout: CONNECT_TIMEOUT_MS,
    });
    const socket = manager.socket('/');
    this.#socket = socket;
    socket.on('connect', () => listener.connected());
    socket.on('connect_error', (error) => {
      listener.disconnected(error.message);
      if (this.#polling === null) this.#polling = this.#allowPolling(socket);
    });
    socket.on('disconnect', (reason) => {
      listener.disconnected(reason);
      // socket.io does not come back by itself to a server that sent it away; we do, but not at once.
      if (reason === 'io server disconnect') this.#comeBack(socket);
    });
    socket.on('signal', (message: unknown) => this.#parsed(() => listener.signal(parseRelayedSignal(message))));
    socket.on('swarm', (message: unknown) => this.#parsed(() => listener.swarm(parseSwarmState(message))));
  }

  join(request: JoinRequest): Promise<JoinReply | Refusal> {
    return this.#ask('join', request, parseJoinReply);
  }

  signal(request: SignalRequest): Promise<Done | Refusal> {
    return this.#ask('signal', request, parseDone);
  }

  claim(request: ClaimRequest): Promise<ClaimReply | Refusal> {
    return this.#ask('claim', request, parseClaimReply);
  }

  leave(request: LeaveRequest): void {
    this.#socket?.emit('leave', request);
  }

  close(): void {
    this.#socket?.disconnect();
    this.#socket = null;
  }

  #comeBack(socket: Socket): void {
    setTimeout(() => {
      if (this.#socket === socket) socket.connect();
    }, RECONNECT_AFTER_MAX_MS);
  }

  /** Some networks let no WebSocket through. HTTP polling is loaded only for them, and for a server that is away. */
  async #allowPolling(socket: Socket): Promise<void> {
    try {
      const { Fetch } = await import('./polling.ts');
      socket.io.opts.transportImplementations = [WebSocket, Fetch];
      socket.io.opts.tryAllTransports = true;
    } catch (error) {
      this.#polling = null; // Tried again with the next failure.
      this.#trace('signaling', () => `no polling: ${String(error)}`);
    }
  }

  async #ask<T>(
    event: string,
    request: JoinRequest | SignalRequest | ClaimRequest,
    parse: (untrusted: unknown) => T,
  ): Promise<T | Refusal> {
    if (!this.#socket) return unanswered('there is no connection');
    try {
      return parse(await this.#socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(event, request));
    } catch (error) {
      return unanswered(error instanceof Error ? error.message : String(error));
    }
  }

  #parsed(take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof P2PError)) throw error;
      this.#trace('signaling', () => error.message);
    }
  }
}

const unanswered = (message: string): Refusal => ({
  ok: false,
  code: 'shutting-down',
  message,
  retryAfter: RECONNECT_AFTER_MAX_MS / 1000,
});
