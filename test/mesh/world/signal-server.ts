/** The signaling server in memory: the real directory and real parsers, a virtual line to each client, and a switch to kill it. */
import { ANSWER_TIMEOUT_MS, RECONNECT_AFTER_MS } from '../../../mesh/core/limits.ts';
import type { Random, Signaling, SignalingListener } from '../../../mesh/core/ports.ts';
import type { PeerId, SwarmId } from '../../../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import { parseDone, parseJoinReply, parseRelayedSignal } from '../../../protocol/server-message.ts';
import type {
  Done,
  JoinReply,
  JoinRequest,
  LeaveRequest,
  Refusal,
  SignalRequest,
} from '../../../protocol/signaling.ts';
import { peerIdOf } from '../../../server/signaling/identity.ts';
import { MemoryDirectory } from '../../../server/signaling/memory-directory.ts';
import type { SiteKey } from '../../../server/site.ts';
import { randomHex } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

const refusal = (code: Refusal['code']): Refusal => ({ ok: false, code, message: `refused: ${code}` });

/** What a message is after it went over a socket. */
const overTheSocket = (message: unknown): unknown => JSON.parse(JSON.stringify(message));

export class SignalServer {
  /** One way to each client, ms. */
  latency = 20;
  /** False: takes messages and never answers. */
  answers = true;
  /** Between entering somebody and reading who is there, ms: with more than 0, two that join at once are named to each other. */
  directoryDelay = 0;
  readonly clock: VirtualClock;
  readonly log: (line: string) => void;
  readonly #random: Random;
  readonly #clients = new Set<Client>();
  #directory: MemoryDirectory;
  #alive = true;

  constructor(clock: VirtualClock, random: Random, log: (line: string) => void) {
    this.clock = clock;
    this.log = log;
    this.#random = random;
    this.#directory = new MemoryDirectory(random);
  }

  get alive(): boolean {
    return this.#alive;
  }

  client(name: string, site = 'home'): Signaling & { drop(): void } {
    const client = new Client(this, name, site as SiteKey);
    this.#clients.add(client);
    return client;
  }

  kill(): void {
    this.#alive = false;
    this.#directory = new MemoryDirectory(this.#random);
    for (const client of this.#clients) client.lost('transport close');
  }

  revive(): void {
    this.#alive = true;
  }

  async join(client: Client, request: JoinRequest): Promise<JoinReply | Refusal> {
    if (request.version !== PROTOCOL_VERSION) return refusal('wrong-version');
    const resume = request.resume ?? randomHex(this.#random, 16);
    const peer = peerIdOf(resume);
    client.peer = peer;
    for (const swarm of request.swarms) await this.#directory.join(swarm, peer, client.site);
    if (this.directoryDelay > 0) await this.clock.wait(this.directoryDelay);
    const swarms = await Promise.all(
      request.swarms.map(async (swarm) => ({
        ...(await this.#state(swarm, client)),
        ...(await this.#directory.members(swarm, peer)),
      })),
    );
    return { ok: true, peer, resume, iceServers: [], swarms };
  }

  relay(client: Client, { to, signal }: SignalRequest): Done | Refusal {
    if (!client.peer) return refusal('not-joined');
    const target = [...this.#clients].find(({ peer, connected }) => connected && peer === to);
    if (!target) return refusal('unknown-peer');
    target.hear({ from: client.peer, signal });
    return { ok: true };
  }

  leave(peer: PeerId, swarms: readonly SwarmId[] | null): void {
    if (swarms) for (const swarm of swarms) void this.#directory.leave(swarm, peer);
    else void this.#directory.leaveAll(peer);
  }

  async #state(swarm: SwarmId, client: Client): Promise<NonNullable<Awaited<ReturnType<MemoryDirectory['state']>>>> {
    const state = await this.#directory.state(swarm, client.site);
    if (!state) throw new Error('who has joined is in the directory');
    return state;
  }
}

class Client implements Signaling {
  peer: PeerId | null = null;
  connected = false;
  readonly site: SiteKey;
  readonly #server: SignalServer;
  readonly #name: string;
  #listener: SignalingListener | null = null;

  constructor(server: SignalServer, name: string, site: SiteKey) {
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

  leave(request: LeaveRequest): void {
    const { peer } = this;
    if (peer && this.connected) this.#server.leave(peer, request.swarms);
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
    if (this.peer) this.#server.leave(this.peer, null);
    this.connected = false;
    this.peer = null;
  }

  lost(reason: string): void {
    const was = this.connected;
    this.drop();
    if (was) this.#listener?.disconnected(reason);
    if (was) this.#server.clock.after(RECONNECT_AFTER_MS, () => this.#connect());
  }

  hear(message: unknown): void {
    this.#server.clock.after(this.#server.latency, () => {
      if (this.connected) this.#listener?.signal(parseRelayedSignal(overTheSocket(message)));
    });
  }

  #connect(): void {
    this.#server.clock.after(2 * this.#server.latency, () => {
      if (!this.#listener) return;
      this.connected = this.#server.alive;
      this.#server.log(`${this.#name} server ${this.connected ? 'connected' : 'refused'}`);
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
