import type { Beacon } from '../../../protocol/beacon.ts';
import { P2PError } from '../../../protocol/error.ts';
import {
  parseClaimReply,
  parseDone,
  parseJoinReply,
  parseRelayedSignal,
  parseSwarmState,
} from '../../../protocol/server-message.ts';
import type {
  ClaimReply,
  ClaimRequest,
  Done,
  JoinReply,
  JoinRequest,
  LeaveRequest,
  Refusal,
  ReportRequest,
  SignalRequest,
} from '../../../protocol/signaling.ts';
import { RECONNECT_AFTER_MAX_MS, RECONNECT_AFTER_MS } from '../../core/limits.ts';
import type { Clock, Random, Signaling, SignalingListener, Trace } from '../../core/ports.ts';
import { overWebSocket, type OpenEngineIO } from './engine-io.ts';
import { SocketIO, type Ending } from './socket-io.ts';

export interface SocketSignalingPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  /** Tells `online` and `offline`: the worker or window itself. */
  readonly network: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
}

/** The signaling server over socket.io. Reconnects by itself, with jitter and back-off, and at once when the network is back. */
export class SocketSignaling implements Signaling {
  readonly #url: string;
  readonly #ports: SocketSignalingPorts;
  readonly #offline = (): void => this.#socket?.close('offline');
  readonly #online = (): void => this.#wake();
  #listener: SignalingListener | null = null;
  #socket: SocketIO | null = null;
  #polling: OpenEngineIO | null = null;
  #wake: () => void = () => undefined;

  /** @param url the server's origin */
  constructor(url: string, ports: SocketSignalingPorts) {
    this.#url = url;
    this.#ports = ports;
  }

  open(listener: SignalingListener): void {
    const { network } = this.#ports;
    this.#listener = listener;
    network.addEventListener('offline', this.#offline);
    network.addEventListener('online', this.#online);
    void this.#stayConnected(listener);
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

  report(request: ReportRequest): void {
    this.#socket?.emit('report', request);
  }

  beacon(beacon: Beacon): void {
    this.#socket?.emit('beacon', beacon);
  }

  close(): void {
    const { network } = this.#ports;
    network.removeEventListener('offline', this.#offline);
    network.removeEventListener('online', this.#online);
    this.#listener = null;
    this.#socket?.close('closed');
    this.#wake();
  }

  /** Connects, and connects again whenever that ends, until `close()`, or another `open()` after it. */
  async #stayConnected(listener: SignalingListener): Promise<void> {
    const { clock } = this.#ports;
    for (let failures = 0; ; failures++) {
      const since = clock.now();
      const { was, reason, retryAfter } = await this.#connect(listener);
      if (this.#listener !== listener) return;
      listener.disconnected(reason);
      // A server that lets us in and drops us at once is as good as none.
      if (was === 'connected' && clock.now() - since > RECONNECT_AFTER_MAX_MS) failures = 0;
      // To a server that sent us away we do not come back at once.
      await this.#pause(was === 'dismissed' ? RECONNECT_AFTER_MAX_MS : RECONNECT_AFTER_MS * 2 ** failures, retryAfter);
      if (this.#listener !== listener) return;
    }
  }

  /** One connection, from its beginning to its end. Some networks let no WebSocket through: HTTP polling is loaded only for them, and for a server that is away. */
  async #connect(listener: SignalingListener): Promise<Ending> {
    const ending = await this.#over(overWebSocket, listener);
    if (ending.was !== 'connecting' || this.#listener !== listener) return ending;
    try {
      this.#polling ??= (await import('./polling.ts')).overPolling;
    } catch (error) {
      this.#ports.trace('signaling', () => `no polling: ${String(error)}`); // Tried again with the next failure.
      return ending;
    }
    return this.#listener === listener ? this.#over(this.#polling, listener) : ending;
  }

  #over(open: OpenEngineIO, listener: SignalingListener): Promise<Ending> {
    this.#socket = new SocketIO(open, this.#url, this.#ports.clock, {
      connected: () => listener.connected(),
      event: (name, untrusted) => {
        if (name === 'signal') this.#parsed(() => listener.signal(parseRelayedSignal(untrusted)));
        if (name === 'swarm') this.#parsed(() => listener.swarm(parseSwarmState(untrusted)));
      },
    });
    return this.#socket.ended;
  }

  /** Ends early when the network is back. @param atLeast seconds that the server asked for */
  #pause(milliseconds: number, atLeast: number): Promise<void> {
    const { clock, random } = this.#ports;
    return new Promise((resolve) => {
      const cancel = clock.after(
        1000 * atLeast + Math.min(RECONNECT_AFTER_MAX_MS, milliseconds) * (0.5 + random()),
        resolve,
      );
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async #ask<T>(
    event: string,
    request: JoinRequest | SignalRequest | ClaimRequest,
    parse: (untrusted: unknown) => T,
  ): Promise<T | Refusal> {
    if (!this.#socket) return unanswered('not connected');
    try {
      return parse(await this.#socket.ask(event, request));
    } catch (error) {
      return unanswered(error instanceof Error ? error.message : String(error));
    }
  }

  #parsed(take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof P2PError)) throw error;
      this.#ports.trace('signaling', () => error.message);
    }
  }
}

const unanswered = (message: string): Refusal => ({
  ok: false,
  code: 'shutting-down',
  message,
  retryAfter: RECONNECT_AFTER_MAX_MS / 1000,
});
