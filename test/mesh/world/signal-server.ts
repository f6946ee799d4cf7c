/** The signaling server in memory: the real directory and real parsers, a virtual line to each client, and a switch to kill it. */
import type { Random } from '../../../mesh/core/ports.ts';
import type { Beacon } from '../../../protocol/beacon.ts';
import type { PeerId, SwarmId } from '../../../protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import type {
  ClaimReply,
  ClaimRequest,
  Done,
  IceGrant,
  JoinReply,
  JoinRequest,
  MeshOff,
  Refusal,
  ReportRequest,
  SignalRequest,
  SwarmView,
} from '../../../protocol/signaling.ts';
import { peerIdOf } from '../../../server/signaling/identity.ts';
import { MemoryDirectory } from '../../../server/signaling/memory-directory.ts';
import type { SiteKey } from '../../../server/site.ts';
import type { Log } from './network.ts';
import { randomHex } from './seeded-random.ts';
import { refusal, SignalClient, type Server } from './signal-client.ts';
import { SignalNews } from './signal-news.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class SignalServer implements Server {
  /** One way to each client, ms. */
  latency = 20;
  /** False: takes messages and never answers. */
  answers = true;
  /** Between entering somebody and reading who is there, ms: with more than 0, two that join at once are named to each other. */
  directoryDelay = 0;
  /** Which swarms a token opens; null: no token is needed. */
  opens: ((token: string | undefined, swarm: SwarmId) => boolean) | null = null;
  /** Does everybody ask too fast? */
  isTooFast = false;
  /** Peers that were reported, in order. */
  readonly reported: PeerId[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** False: refuses to say who crosses. */
  settlesClaims = true;
  /** What it lets connections be made with. */
  ice: () => IceGrant = () => ({ iceServers: [] });
  /** Why nobody takes part; null: all do. */
  off: MeshOff | null = null;
  /** What it was told, in order. */
  readonly beacons: (Beacon & { readonly from: string })[] = [];
  readonly clock: VirtualClock;
  readonly log: Log | null;
  readonly #random: Random;
  readonly #clients = new Set<SignalClient>();
  readonly #joined = new Map<PeerId, SignalClient>();
  #directory: MemoryDirectory;
  #news: SignalNews;
  #alive = true;

  constructor(clock: VirtualClock, random: Random, log: Log | null) {
    this.clock = clock;
    this.log = log;
    this.#random = random;
    this.#directory = this.#newDirectory();
    this.#news = new SignalNews(clock, this.#directory);
  }

  get alive(): boolean {
    return this.#alive;
  }

  client(name: string, site = 'home'): SignalClient {
    const client = new SignalClient(this, name, site as SiteKey);
    this.#clients.add(client);
    return client;
  }

  kill(): void {
    this.#alive = false;
    for (const client of this.#clients) client.lost('transport close');
    this.#directory = this.#newDirectory();
    this.#news = new SignalNews(this.clock, this.#directory);
  }

  revive(): void {
    this.#alive = true;
  }

  async join(client: SignalClient, request: JoinRequest): Promise<JoinReply | Refusal> {
    if (request.version !== PROTOCOL_VERSION) return refusal('wrong-version');
    this.tokens.push(request.token);
    if (this.isTooFast) return { ...refusal('too-fast'), retryAfter: 2 };
    const asked = request.swarms.filter((swarm) => this.opens === null || this.opens(request.token, swarm));
    if (asked.length === 0 && request.swarms.length > 0) return refusal('unauthorized');
    const resume = request.resume ?? randomHex(this.#random, 16);
    const peer = peerIdOf(resume);
    if (this.off) {
      this.leave(client, null);
      client.peer = null;
      return { ok: true, peer, resume, iceServers: [], swarms: [], off: this.off };
    }
    client.peer = peer;
    this.#joined.set(peer, client);
    const enter = (): SwarmView[] => asked.map((swarm) => this.#directory.join(swarm, peer, client.site));
    let swarms = enter();
    for (const swarm of asked) this.#news.joined(swarm, client);
    if (this.directoryDelay > 0) {
      await this.clock.wait(this.directoryDelay);
      swarms = enter();
    }
    return { ok: true, peer, resume, ...this.ice(), swarms };
  }

  relay(client: SignalClient, { to, signal }: SignalRequest): Done | Refusal {
    if (!client.peer) return refusal('not-joined');
    const target = this.#joined.get(to);
    if (target?.connected !== true) return refusal('unknown-peer');
    target.hear('signal', { from: client.peer, sameSite: client.site === target.site, signal });
    return { ok: true };
  }

  async claim(client: SignalClient, { swarm, digest, instead, quiet }: ClaimRequest): Promise<ClaimReply | Refusal> {
    if (!client.peer) return refusal('not-joined');
    const claim = this.settlesClaims && this.#directory.claim(swarm, client.peer, digest, instead, quiet);
    return claim ? { ok: true, ...claim } : refusal('not-joined');
  }

  report(client: SignalClient, { peer }: ReportRequest): void {
    if (client.peer) this.reported.push(peer);
  }

  leave(client: SignalClient, swarms: readonly SwarmId[] | null): void {
    const { peer } = client;
    if (!peer) return;
    if (swarms) for (const swarm of swarms) void this.#directory.leave(swarm, peer);
    else {
      void this.#directory.leaveAll(peer);
      if (this.#joined.get(peer) === client) this.#joined.delete(peer);
    }
    this.#news.left(swarms, client);
  }

  #newDirectory(): MemoryDirectory {
    return new MemoryDirectory(this.#random, () => this.clock.now());
  }
}
