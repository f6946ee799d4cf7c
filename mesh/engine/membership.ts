/**
 * Our place in the swarms: joins them at the server, offers connections to whom it names, answers those who offer, and offers again
 * what broke. Owned by the Engine.
 */
import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import {
  MAX_NEIGHBOURS,
  MAX_SWARMS,
  MIN_MESSAGE_BYTES,
  OUTSIDE_NEIGHBOURS,
  PROTOCOL_VERSION,
  SITE_NEIGHBOURS,
} from '../../protocol/limits.ts';
import type {
  ClaimReply,
  IceServer,
  JoinReply,
  Refusal,
  RelayedSignal,
  Signal,
  SwarmState,
  SwarmView as NamedSwarm,
} from '../../protocol/signaling.ts';
import { alternating } from '../core/alternating.ts';
import {
  DIALS_IN_CROWD,
  MAX_BANNED,
  MAX_CONNECTIONS,
  MIN_NEIGHBOURS,
  MORE_NAMES_AFTER_MAX_MS,
  MORE_NAMES_AFTER_MS,
  REDIAL_AFTER_MS,
  REOFFER_AFTER_MS,
} from '../core/limits.ts';
import type { Channel, Clock, Dialer, Random, Signaling, Trace } from '../core/ports.ts';
import type { SwarmView } from '../core/start-gate.ts';
import { Attempts, type Attempt } from './attempts.ts';
import type { Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';

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
  /** The server can't be reached, or refuses us. Told once until it is reached again. */
  unreachable(reason: string): void;
}

/** What the server said of one swarm, at first and since. */
interface Joined {
  readonly at: number;
  readonly siteMembers: readonly PeerId[];
  readonly others: readonly PeerId[];
  state: SwarmState;
}

export class Membership {
  readonly #ports: MembershipPorts;
  readonly #home: SwarmId;
  readonly #neighbours: Neighbours;
  readonly #listener: MembershipListener;
  readonly #attempts: Attempts;
  readonly #swarms = new Map<SwarmId, Joined | null>();
  /** Swarms that the server of this connection was asked for. */
  readonly #asked = new Set<SwarmId>();
  readonly #redials = new Map<PeerId, number>();
  readonly #timers = new Set<() => void>();
  #state: SignalingState = 'off';
  #cancelRetry: () => void = () => undefined;
  #cancelWantMore: (() => void) | null = null;
  /** How often in a row that brought nobody. */
  #askedMore = 0;
  #peer: PeerId | null = null;
  #resume: string | null = null;
  #iceServers: readonly IceServer[] = [];

  /** @param home the swarm that is never left for another: the page's static assets */
  constructor(ports: MembershipPorts, home: SwarmId, neighbours: Neighbours, listener: MembershipListener) {
    this.#home = home;
    this.#ports = ports;
    this.#neighbours = neighbours;
    this.#listener = listener;
    this.#attempts = new Attempts(ports.clock, (attempt) => {
      ports.dialer.hangUp(attempt.connection);
      this.#failed(attempt);
    });
  }

  get state(): SignalingState {
    return this.#state;
  }

  get peer(): PeerId | null {
    return this.#peer;
  }

  open(): void {
    if (this.#state !== 'off') return;
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
      signal: (message) => this.#remoteSignal(message),
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
    void this.#neighbours.enter(swarm).then(() => this.#listener.changed());
    if (this.#state === 'joined') void this.#join([swarm]);
  }

  #leaveOldest(): void {
    for (const swarm of this.#swarms.keys()) {
      if (swarm === this.#home) continue;
      this.#swarms.delete(swarm);
      this.#neighbours.exit(swarm);
      if (this.#state === 'joined') this.#ports.signaling.leave({ swarms: [swarm] });
      return;
    }
  }

  /** Sizes and keeper as the server told them last; null: it has not. */
  stateOf(swarm: SwarmId): SwarmState | null {
    return this.#swarms.get(swarm)?.state ?? null;
  }

  /** Asks the server who crosses an asset; null: it does not say. */
  async claim(swarm: SwarmId, digest: Digest, instead: PeerId | null): Promise<ClaimReply | null> {
    if (this.#state !== 'joined') return null;
    const reply = await this.#ports.signaling.claim({ swarm, digest, ...(instead === null ? {} : { instead }) });
    return reply.ok ? reply : null;
  }

  /** What a request in this swarm may wait for. */
  view(swarm: SwarmId): SwarmView {
    const joined = this.#swarms.get(swarm);
    if (joined === undefined) return { kind: 'off' };
    const told = this.#neighbours.inventories(swarm);
    if (joined)
      return {
        kind: 'joined',
        at: joined.at,
        dialing: this.#attempts.dialing(joined.siteMembers),
        dialingOutside: this.#attempts.dialing(joined.others),
        ...told,
      };
    if (this.#state === 'connecting' || this.#state === 'joined')
      return told.inventories + told.awaited > 0
        ? { kind: 'joined', at: this.#ports.clock.now(), dialing: 0, dialingOutside: 0, ...told }
        : { kind: 'joining' };
    return told.awaited > 0
      ? { kind: 'joined', at: this.#ports.clock.now(), dialing: 0, dialingOutside: 0, ...told }
      : { kind: 'off' };
  }

  /** A channel from the page. One that nobody expects is closed. */
  channel(connection: number, peer: PeerId, channel: Channel): void {
    const attempt = this.#attempts.get(connection);
    const isExpected = attempt?.peer === peer && !this.#neighbours.isBanned(peer);
    if (!isExpected) channel.close();
    else if (!this.#neighbours.add(peer, connection, attempt.sameSite, channel)) this.#hangUp(attempt);
  }

  /** The page's end of a handshake step. */
  async localSignal(peer: PeerId, signal: Signal): Promise<void> {
    const reply = await this.#ports.signaling.signal({ to: peer, signal });
    if (reply.ok || reply.code !== 'unknown-peer') return;
    const attempt = this.#attempts.get(signal.connection);
    if (attempt?.state !== 'dialing') return;
    this.#redials.set(peer, REDIAL_AFTER_MS.length);
    this.#hangUp(attempt);
  }

  connected(connection: number, maxMessageSize: number): void {
    const attempt = this.#attempts.get(connection);
    const neighbour = attempt && this.#neighbours.get(attempt.peer);
    if (neighbour?.connection !== connection) return;
    if (maxMessageSize < MIN_MESSAGE_BYTES) neighbour.close();
    else neighbour.maxMessageBytes = maxMessageSize;
  }

  /** The page lost a connection. */
  disconnected(connection: number): void {
    const attempt = this.#attempts.get(connection);
    if (!attempt) return;
    const neighbour = this.#neighbours.get(attempt.peer);
    if (neighbour?.connection === connection) neighbour.close();
    else this.#hangUp(attempt);
  }

  neighbourOpened(neighbour: Neighbour): void {
    this.#attempts.opened(neighbour.connection);
    this.#redials.delete(neighbour.peer);
    this.#askedMore = 0;
  }

  neighbourGone(neighbour: Neighbour): void {
    const attempt = this.#attempts.get(neighbour.connection);
    if (!attempt) return;
    if (this.#redials.size >= MAX_BANNED) this.#redials.clear();
    if (neighbour.leaving || this.#neighbours.isBanned(neighbour.peer))
      this.#redials.set(neighbour.peer, REDIAL_AFTER_MS.length);
    this.#hangUp(attempt);
  }

  /** Until `open()`, which joins the same swarms again. */
  leave(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#cancelWantMore = null;
    for (const attempt of this.#attempts.clear()) this.#ports.dialer.hangUp(attempt.connection);
    const joined = this.#state === 'joined';
    this.#state = 'off'; // Before the socket is closed, which is no failure.
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
      ...(this.#resume === null ? {} : { resume: this.#resume }),
    });
    if (this.#state === 'off') return;
    if (!reply.ok) {
      this.#refused(reply);
      return;
    }
    this.#take(reply, again);
    this.#listener.joined();
    const late = [...this.#swarms.keys()].filter((swarm) => !this.#asked.has(swarm));
    if (late.length > 0) void this.#join(late);
    this.#listener.changed();
  }

  /** A swarm too many is no reason to give up those that we are in. */
  #refused({ code, message, retryAfter }: Refusal): void {
    if (code === 'too-many-swarms' && this.#state === 'joined') return;
    this.#unreachable(`${code}: ${message}`);
    if (retryAfter === undefined) return;
    this.#cancelRetry();
    this.#cancelRetry = this.#later(1000 * retryAfter, () => void this.#join([...this.#swarms.keys()]));
  }

  #take(reply: JoinReply, again: boolean): void {
    this.#state = 'joined';
    this.#peer = reply.peer;
    this.#resume = reply.resume;
    this.#iceServers = reply.iceServers;
    const at = this.#ports.clock.now();
    for (const swarm of reply.swarms) {
      const { members, others, ...state } = swarm;
      if (this.#swarms.has(swarm.swarm)) this.#swarms.set(swarm.swarm, { at, siteMembers: members, others, state });
      this.#ports.trace(
        'signaling',
        () => `joined ${swarm.swarm}: ${swarm.members.length} here, ${swarm.others.length} elsewhere`,
      );
      this.#dialAll(swarm, again);
    }
  }

  /** A small swarm becomes a full mesh. In a large one each newcomer offers half of what a peer should have: as many others will offer to it. */
  #dialAll({ members, others, size }: NamedSwarm, again: boolean): void {
    const most = size <= MAX_NEIGHBOURS + 1 ? MAX_NEIGHBOURS : DIALS_IN_CROWD;
    for (const peer of alternating(members, others, SITE_NEIGHBOURS / OUTSIDE_NEIGHBOURS)) {
      if (this.#attempts.size >= most) return;
      if (again && this.#redials.has(peer)) continue;
      this.#redials.delete(peer);
      this.#dial(peer, members.includes(peer));
    }
  }

  /** Asks the server for other names, now and then, while we have too few neighbours for the swarms that we are in. */
  #wantMore(): void {
    const largest = Math.max(0, ...[...this.#swarms.values()].map((joined) => joined?.state.size ?? 0));
    if (this.#cancelWantMore || this.#attempts.size >= Math.min(MIN_NEIGHBOURS, largest - 1)) return;
    const pause = Math.min(MORE_NAMES_AFTER_MAX_MS, MORE_NAMES_AFTER_MS * 2 ** this.#askedMore++);
    this.#cancelWantMore = this.#later(pause * (1 + this.#ports.random()), () => {
      this.#cancelWantMore = null;
      if (this.#state === 'joined') void this.#join([...this.#swarms.keys()], true);
    });
  }

  #news(state: SwarmState): void {
    this.#ports.trace('signaling', () => `swarm ${JSON.stringify(state)}`);
    const joined = this.#swarms.get(state.swarm);
    if (!joined) return;
    joined.state = state;
    this.#wantMore();
    this.#listener.changed();
  }

  #dial(peer: PeerId, sameSite: boolean): void {
    if (peer === this.#peer || this.#neighbours.isBanned(peer) || this.#attempts.of(peer)) return;
    if (!this.#neighbours.prepare()) return;
    const connection = Math.floor(this.#ports.random() * 2 ** 32);
    this.#attempts.add(connection, peer, 'offers', sameSite);
    this.#ports.dialer.dial(connection, peer, this.#iceServers);
  }

  #remoteSignal({ from, sameSite, signal }: RelayedSignal): void {
    if (this.#neighbours.isBanned(from)) return;
    if (signal.kind === 'offer' && !this.#accept(from, signal.connection, sameSite)) return;
    if (signal.kind === 'refuse') return this.#refusedBy(from, signal.connection);
    if (this.#attempts.get(signal.connection)?.peer !== from) return;
    this.#ports.dialer.remoteSignal(from, signal, this.#iceServers);
  }

  /** Takes an offer, unless we have offered too and our id is the lower one, or there are too many already. */
  #accept(from: PeerId, connection: number, sameSite: boolean): boolean {
    const ours = this.#attempts.of(from);
    if (this.#attempts.get(connection)) return false;
    if (ours?.state === 'dialing' && ours.role === 'offers' && this.#peer !== null && this.#peer < from) return false;
    if ((!ours && this.#attempts.size >= MAX_CONNECTIONS) || !this.#neighbours.prepare()) {
      void this.#ports.signaling.signal({ to: from, signal: { kind: 'refuse', connection } });
      return false;
    }
    // Each offer costs the page a connection: who changes its mind waits a little.
    if (ours?.state === 'dialing' && ours.role === 'answers' && this.#ports.clock.now() - ours.since < REOFFER_AFTER_MS)
      return false;
    if (ours?.state === 'dialing') {
      this.#attempts.remove(ours.connection);
      this.#ports.dialer.hangUp(ours.connection);
    }
    this.#attempts.add(connection, from, 'answers', sameSite);
    return true;
  }

  /** It has neighbours enough: it is not offered again, others are. */
  #refusedBy(from: PeerId, connection: number): void {
    const attempt = this.#attempts.get(connection);
    if (attempt?.peer !== from || attempt.state !== 'dialing') return;
    this.#redials.set(from, REDIAL_AFTER_MS.length);
    this.#hangUp(attempt);
  }

  #hangUp(attempt: Attempt): void {
    this.#attempts.remove(attempt.connection);
    this.#ports.dialer.hangUp(attempt.connection);
    this.#failed(attempt);
  }

  /** Who offered offers again, a few times. */
  #failed(attempt: Attempt): void {
    this.#ports.trace('mesh', () => `connection to ${attempt.peer} failed or ended`);
    const tries = this.#redials.get(attempt.peer) ?? 0;
    const pause = REDIAL_AFTER_MS[tries];
    if (attempt.role === 'offers' && pause !== undefined && this.#state !== 'off') {
      this.#redials.set(attempt.peer, tries + 1);
      this.#later(pause, () => this.#dial(attempt.peer, attempt.sameSite));
    }
    this.#wantMore();
    this.#listener.changed();
  }

  #later(milliseconds: number, run: () => void): () => void {
    const cancel = this.#ports.clock.after(milliseconds, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
    return cancel;
  }

  #unreachable(reason: Refusal['message']): void {
    if (this.#state === 'off' || this.#state === 'unreachable') return;
    this.#state = 'unreachable';
    this.#listener.unreachable(reason);
    this.#listener.changed();
  }
}
