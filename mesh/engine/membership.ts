/** Our place in the swarms: joins them at the server, and has connections made to whom it names. Owned by the Engine. */
import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import { MAX_SWARMS, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { EngineOptions, Lead } from '../../protocol/page.ts';
import type {
  ClaimReply,
  IceServer,
  JoinReply,
  MeshOff,
  NoMesh,
  Refusal,
  RefusalCode,
  SwarmState,
} from '../../protocol/signaling.ts';
import {
  ICE_TTL_MAX_S,
  MORE_NAMES_AFTER_MAX_MS,
  MORE_NAMES_AFTER_MS,
  OFF_AGAIN_MS,
  RETRY_AFTER_MAX_SECONDS,
} from '../core/limits.ts';
import type { Clock, Dialer, Random, Signaling, Trace } from '../core/ports.ts';
import type { SwarmView } from '../core/start-gate.ts';
import { hasTooFew, type Around } from '../core/topology.ts';
import { Connections } from './connections.ts';
import type { Neighbours } from './neighbours.ts';

/** Refusals that say nothing of the swarms that we are in. */
const HARMLESS: readonly RefusalCode[] = ['too-many-swarms', 'too-fast'];

export interface MembershipPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly signaling: Signaling;
  readonly dialer: Dialer;
  readonly trace: Trace;
}

export type SignalingState = 'off' | 'connecting' | 'joined' | 'unreachable';

export interface MembershipListener {
  /** The state of the server or of a swarm changed. */
  changed(): void;
  /** The server answered. Where it came back, the origin, which is often the same machine, deserves another try. */
  joined(): void;
  /**
   * The server can't be reached, refuses us, or has nothing of what we need; told once until it is reached again. Or (`unauthorized`) it asks for a token, and ours opens none
   * of the swarms that we asked for (any more).
   */
  unusable(code: 'signaling-unreachable' | 'unauthorized', reason: string): void;
}

/** What the server said of one swarm, at first and since. */
interface Joined {
  /** When it first did on this connection, ms on the clock: more names come later. */
  readonly at: number;
  readonly siteMembers: readonly PeerId[];
  readonly others: readonly PeerId[];
  state: SwarmState;
}

export class Membership {
  readonly #ports: MembershipPorts;
  readonly #home: SwarmId;
  readonly #lot: EngineOptions['lot'];
  readonly #relayOnly: boolean;
  /** Nobody is to wait for who hands nothing out. */
  readonly #quiet: true | undefined;
  readonly #neighbours: Neighbours;
  readonly #listener: MembershipListener;
  readonly #connections: Connections;
  readonly #swarms = new Map<SwarmId, Joined | null>();
  /** Swarms that the server of this connection was asked for. */
  readonly #asked = new Set<SwarmId>();
  /** Swarms that our token does not open. */
  readonly #shut = new Set<SwarmId>();
  #token: string | null = null;
  #state: SignalingState = 'off';
  #cancelRetry: () => void = () => undefined;
  #cancelWantMore: (() => void) | null = null;
  #cancelRenewal?: () => void;
  /** How often in a row that brought nobody. */
  #askedMore = 0;
  #peer: PeerId | null = null;
  #resume: string | null = null;
  #epoch = 0;
  /** Why the server lets us take no part; null: it does. */
  #off: MeshOff | null = null;
  #iceServers: readonly IceServer[] = [];

  /** @param options of which `home` is the swarm that is never left for another: the page's static assets */
  constructor(
    ports: MembershipPorts,
    { home, lot, relayOnly, upload }: Pick<EngineOptions, 'home' | 'lot' | 'relayOnly' | 'upload'>,
    neighbours: Neighbours,
    listener: MembershipListener,
  ) {
    this.#home = home;
    this.#lot = lot;
    this.#relayOnly = relayOnly;
    this.#quiet = upload ? undefined : true;
    this.#ports = ports;
    this.#neighbours = neighbours;
    this.#listener = listener;
    this.#connections = new Connections(
      ports,
      neighbours,
      () => ({ peer: this.#peer, iceServers: this.#iceServers, around: this.#around }),
      () => this.#connectionsChanged(),
    );
  }

  get state(): SignalingState {
    return this.#off ? 'off' : this.#state;
  }

  /** Is the server there, also if it lets us take no part? */
  get isAnswered(): boolean {
    return this.#state === 'joined';
  }

  get noMesh(): NoMesh | null {
    if (this.#neighbours.open.length > 0) return null;
    if (this.#state === 'off') return 'not-sharing';
    if (this.#off) return this.#off;
    if (this.#state !== 'joined') return this.#state === 'connecting' ? 'joining' : 'unreachable';
    return this.#around.size > 1 ? 'unconnected' : 'alone';
  }

  get peer(): PeerId | null {
    return this.#peer;
  }

  /** The secret by which the server gives the same peer id again; null: it gave none yet. */
  get resume(): string | null {
    return this.#resume;
  }

  get connections(): Connections {
    return this.#connections;
  }

  /** A connection is open: asking for more names was worth it. */
  metSomebody(): void {
    this.#askedMore = 0;
  }

  /** @param lead of the tab that we speak for; null: the one that there is */
  open(lead: Lead | null = null): void {
    if (this.#state !== 'off') return;
    this.#epoch = lead?.epoch ?? this.#epoch;
    this.#resume = lead?.resume ?? this.#resume;
    this.#listen();
  }

  /** What the server is shown from now on; null: nothing. If it was asked, it is asked again, also where it turned us away. */
  showToken(token: string | null): void {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#state === 'unreachable') {
      this.#ports.signaling.close();
      this.#listen();
    } else if (this.#asked.size > 0) void this.#join([...this.#swarms.keys()], true);
  }

  #listen(): void {
    this.#state = 'connecting';
    this.#ports.signaling.open({
      connected: () => {
        this.#asked.clear();
        this.#cancelRetry();
        void this.#join([...this.#swarms.keys()]);
      },
      disconnected: (reason) => {
        this.#cancelRetry(); // The connection comes back first.
        this.#unreachable(reason);
      },
      signal: (message) => this.#off || this.#connections.remoteSignal(message),
      swarm: (state) => this.#news(state),
    });
  }

  /** Joins a swarm, now or as soon as the server is there. */
  enter(swarm: SwarmId): void {
    const joined = this.#swarms.get(swarm);
    // In order of use, so that the one to leave for another is found.
    this.#swarms.delete(swarm);
    this.#swarms.set(swarm, joined ?? null);
    if (joined !== undefined) return;
    if (this.#swarms.size > MAX_SWARMS) this.#leaveOldest();
    void this.#neighbours.announcements.enter(swarm).then(() => this.#listener.changed());
    if (this.#state === 'joined') void this.#join([swarm]);
  }

  #leaveOldest(): void {
    for (const swarm of this.#swarms.keys()) {
      if (swarm === this.#home) continue;
      this.#swarms.delete(swarm);
      this.#neighbours.announcements.exit(swarm);
      if (this.#state === 'joined') this.#ports.signaling.leave({ swarms: [swarm] });
      return;
    }
  }

  /** Sizes and keeper as the server told them last; null: it has not. */
  stateOf(swarm: SwarmId): SwarmState | null {
    return this.#swarms.get(swarm)?.state ?? null;
  }

  /** When the server let us into a swarm, on the clock; -Infinity: it has not. */
  joinedAt(swarm: SwarmId): number {
    return this.#swarms.get(swarm)?.at ?? -Infinity;
  }

  /** Asks the server who crosses an asset; null: it does not say. */
  async claim(swarm: SwarmId, digest: Digest, instead: PeerId | null): Promise<ClaimReply | null> {
    if (this.#state !== 'joined' || this.#off) return null;
    const reply = await this.#ports.signaling.claim({
      swarm,
      digest,
      instead: instead ?? undefined,
      quiet: this.#quiet,
    });
    return reply.ok ? reply : null;
  }

  /** What a request in this swarm may wait for. */
  view(swarm: SwarmId): SwarmView {
    const joined = this.#swarms.get(swarm);
    if (joined === undefined || this.#off || this.#shut.has(swarm)) return { kind: 'off' };
    const told = this.#neighbours.inventories(swarm);
    const mayJoin = this.#state === 'connecting' || this.#state === 'joined';
    if (!joined && told.awaited + (mayJoin ? told.inventories : 0) === 0) return { kind: mayJoin ? 'joining' : 'off' };
    // Whoever another swarm's reply named may be in this one too; without a reply nobody is named.
    const { ofSite, outside, answeredAt } = this.#connections.dialing;
    return {
      kind: 'joined',
      at: joined?.at ?? 0,
      dialing: joined?.siteMembers.length ? ofSite : 0,
      answeredAt: joined?.siteMembers.length ? answeredAt : Infinity,
      dialingOutside: joined?.others.length ? outside : 0,
      ...told,
    };
  }

  /** Until `open()`, which joins the same swarms again. */
  leave(): void {
    this.#cancelRetry();
    this.#cancelWantMore?.();
    this.#cancelWantMore = null;
    const joined = this.#state === 'joined';
    this.#state = 'off'; // Before the connections and the socket are closed, which is no failure.
    this.#connections.close();
    if (joined) this.#ports.signaling.leave({ swarms: [...this.#swarms.keys()] });
    this.#ports.signaling.close();
    for (const swarm of this.#swarms.keys()) this.#swarms.set(swarm, null);
  }

  /** @param again we are in these swarms, and want other names: those that we tried in vain are left alone */
  async #join(swarms: readonly SwarmId[], again = false): Promise<void> {
    for (const swarm of swarms) this.#asked.add(swarm);
    const reply = await this.#ports.signaling.join({
      version: PROTOCOL_VERSION,
      swarms,
      resume: this.#resume ?? undefined,
      epoch: this.#epoch,
      token: this.#token ?? undefined,
      lot: this.#lot,
    });
    if (this.#state === 'off') return;
    // But for those of which the reply tells. A server that can't answer shuts none: neighbours are as good as before.
    if (reply.ok || reply.code === 'unauthorized') for (const swarm of swarms) this.#shut.add(swarm);
    if (!reply.ok) {
      this.#refused(reply);
      return;
    }
    // STUN servers have no credentials, and browsers take no TURN server without them.
    if (this.#relayOnly && !reply.off && !reply.iceServers.some(({ credential }) => credential)) {
      this.leave();
      this.#listener.unusable('signaling-unreachable', 'ice-transport="relay" without --turn');
      return;
    }
    this.#take(reply, again);
    this.#listener.joined();
    const late = [...this.#swarms.keys()].filter((swarm) => !this.#asked.has(swarm));
    if (late.length > 0) void this.#join(late);
    this.#listener.changed();
  }

  /** A swarm too many, one that our token does not open, or having asked too fast is no reason to give up those that we are in. */
  #refused({ code, message, retryAfter }: Refusal): void {
    const isJoined = this.#state === 'joined';
    if (code === 'unauthorized') {
      this.#listener.unusable(code, message);
      if (!isJoined) this.#state = 'unreachable';
      // Until there is another token.
      if (!isJoined && retryAfter === undefined) this.#ports.signaling.close();
      this.#listener.changed();
    } else if (!isJoined || !HARMLESS.includes(code)) this.#unreachable(`${code}: ${message}`);
    if (retryAfter === undefined) return;
    this.#joinAgain(1000 * Math.min(RETRY_AFTER_MAX_SECONDS, retryAfter));
  }

  #take(reply: JoinReply, again: boolean): void {
    this.#state = 'joined';
    this.#peer = reply.peer;
    this.#resume = reply.resume;
    this.#iceServers = reply.iceServers;
    this.#renewIce(reply.iceTTL);
    this.#off = reply.off ?? null;
    if (this.#off) this.#stayOut();
    const now = this.#ports.clock.now();
    // Everybody on this page is in the home swarm, but not everybody in that one is in the others.
    const homeLast = [...reply.swarms].sort((a, b) => Number(a.swarm === this.#home) - Number(b.swarm === this.#home));
    for (const swarm of homeLast) {
      const { members, others, ...state } = swarm;
      this.#shut.delete(swarm.swarm);
      const before = this.#swarms.get(swarm.swarm);
      const at = (again && before?.at) || now;
      if (before !== undefined) this.#swarms.set(swarm.swarm, { at, siteMembers: members, others, state });
      this.#ports.trace('signaling', () => `${swarm.swarm} ${members.length}+${others.length}`);
      this.#connections.dialAll(swarm, again);
    }
  }

  /** Asks for other TURN credentials at half the time of these: none is begun with old ones, and who can't be reached now has the other half. */
  #renewIce(ttl: number | null | undefined): void {
    this.#cancelRenewal?.();
    if (!ttl) return;
    // Whoever is let in anew, after a break, gets new ones with that.
    this.#cancelRenewal = this.#ports.clock.after(500 * Math.min(ICE_TTL_MAX_S, ttl), () => {
      if (this.#state === 'joined') void this.#join([]);
    });
  }

  /** As if we were alone. The server may think otherwise later. */
  #stayOut(): void {
    this.#neighbours.leave();
    this.#connections.close();
    for (const swarm of this.#swarms.keys()) this.#swarms.set(swarm, null);
    this.#joinAgain(OFF_AGAIN_MS * (0.5 + this.#ports.random()));
  }

  #joinAgain(milliseconds: number): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#ports.clock.after(milliseconds, () => void this.#join([...this.#swarms.keys()]));
  }

  /** The largest swarm that we are in. */
  get #around(): Around {
    const states = [...this.#swarms.values()].flatMap((joined) => (joined ? [joined.state] : []));
    return states.reduce<Around>((most, state) => (state.size > most.size ? state : most), { size: 1, siteSize: 1 });
  }

  /** Asks the server for other names, now and then, while we have too few neighbours for the swarms that we are in. */
  #wantMore(): void {
    if (this.#cancelWantMore || !hasTooFew(this.#connections.degree, this.#around)) return;
    const pause = Math.min(MORE_NAMES_AFTER_MAX_MS, MORE_NAMES_AFTER_MS * 2 ** this.#askedMore++);
    this.#cancelWantMore = this.#ports.clock.after(pause * (1 + this.#ports.random()), () => {
      this.#cancelWantMore = null;
      if (this.#state === 'joined') void this.#join([...this.#swarms.keys()], true);
    });
  }

  #news(state: SwarmState): void {
    const joined = this.#swarms.get(state.swarm);
    if (!joined) return;
    joined.state = state;
    this.#wantMore();
    this.#listener.changed();
  }

  #connectionsChanged(): void {
    if (this.#state === 'off') return;
    this.#wantMore();
    this.#listener.changed();
  }

  #unreachable(reason: Refusal['message']): void {
    if (this.#state === 'off' || this.#state === 'unreachable') return;
    this.#state = 'unreachable';
    this.#listener.unusable('signaling-unreachable', reason);
    this.#listener.changed();
  }
}
