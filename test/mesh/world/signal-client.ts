/** A client's end of the signaling server in memory: a virtual line, and real parsers. */
import { ANSWER_TIMEOUT_MS, RECONNECT_AFTER_MS } from '../../../mesh/core/limits.ts';
import type { Signaling, SignalingListener } from '../../../mesh/core/ports.ts';
import type { Beacon } from '../../../protocol/beacon.ts';
import type { PeerId, SwarmId } from '../../../protocol/ids.ts';
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
import type { SiteKey } from '../../../server/site.ts';
import type { Log } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a client asks of its server. */
export interface Server {
  readonly clock: VirtualClock;
  readonly log: Log | null;
  readonly latency: number;
  readonly alive: boolean;
  readonly answers: boolean;
  readonly beacons: (Beacon & { readonly from: string })[];
  join(client: SignalClient, request: JoinRequest): Promise<JoinReply | Refusal>;
  relay(client: SignalClient, request: SignalRequest): Done | Refusal;
  claim(client: SignalClient, request: ClaimRequest): Promise<ClaimReply | Refusal>;
  /** Takes the client out of these swarms; null: of all. */
  leave(client: SignalClient, swarms: readonly SwarmId[] | null): void;
  report(client: SignalClient, request: ReportRequest): void;
}

export const refusal = (code: Refusal['code']): Refusal => ({ ok: false, code, message: `refused: ${code}` });

/** What a message is after it went over a socket. */
const overTheSocket = (message: unknown): unknown => JSON.parse(JSON.stringify(message));

export class SignalClient implements Signaling {
  peer: PeerId | null = null;
  connected = false;
  readonly site: SiteKey;
  readonly #server: Server;
  readonly #name: string;
  #listener: SignalingListener | null = null;

  constructor(server: Server, name: string, site: SiteKey) {
    this.#server = server;
    this.#name = name;
    this.site = site;
  }

  open(listener: SignalingListener): void {
    this.#listener = listener;
    this.#connect();
  }

  async join(request: JoinRequest): Promise<JoinReply | Refusal> {
    return this.#ask(async () => parseJoinReply(overTheSocket(await this.#server.join(this, request))));
  }

  async signal(request: SignalRequest): Promise<Done | Refusal> {
    return this.#ask(async () => parseDone(overTheSocket(this.#server.relay(this, request))));
  }

  async claim(request: ClaimRequest): Promise<ClaimReply | Refusal> {
    return this.#ask(async () => parseClaimReply(overTheSocket(await this.#server.claim(this, request))));
  }

  leave(request: LeaveRequest): void {
    if (this.connected) this.#server.leave(this, request.swarms);
  }

  report(request: ReportRequest): void {
    if (this.connected) this.#server.report(this, request);
  }

  beacon(beacon: Beacon): void {
    if (this.connected) this.#server.beacons.push({ from: this.#name, ...beacon });
  }

  /** As socket.io does, tells of it at once. */
  close(): void {
    const listener = this.#listener;
    this.#listener = null;
    this.drop();
    listener?.disconnected('io client disconnect');
  }

  /** The connection to the server ends, as when a browser dies. */
  drop(): void {
    this.#server.leave(this, null);
    this.connected = false;
    this.peer = null;
  }

  lost(reason: string): void {
    const was = this.connected;
    this.drop();
    if (was) this.#listener?.disconnected(reason);
    if (was) this.#server.clock.after(RECONNECT_AFTER_MS, () => this.#connect());
  }

  /** A message of the server by itself. */
  hear(event: 'signal' | 'swarm', message: unknown): void {
    this.#server.clock.after(this.#server.latency, () => {
      if (!this.connected) return;
      if (event === 'signal') this.#listener?.signal(parseRelayedSignal(overTheSocket(message)));
      else this.#listener?.swarm(parseSwarmState(overTheSocket(message)));
    });
  }

  #connect(): void {
    this.#server.clock.after(2 * this.#server.latency, () => {
      if (!this.#listener) return;
      this.connected = this.#server.alive;
      this.#server.log?.(`${this.#name} server ${this.connected ? 'connected' : 'refused'}`);
      if (this.connected) return this.#listener.connected();
      this.#listener.disconnected('connection refused');
      this.#server.clock.after(RECONNECT_AFTER_MS, () => this.#connect());
    });
  }

  async #ask<T>(answer: () => Promise<T>): Promise<T | Refusal> {
    const { clock, latency } = this.#server;
    await clock.wait(latency);
    if (!this.connected || !this.#server.answers) {
      await clock.wait(ANSWER_TIMEOUT_MS);
      return refusal('shutting-down');
    }
    const reply = await answer();
    await clock.wait(latency);
    return reply;
  }
}
