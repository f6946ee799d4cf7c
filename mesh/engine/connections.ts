/**
 * Connections and attempts at them: offers to whom the server names, answers to those who offer, and offers again what broke. Owned by the
 * Membership.
 */
import type { PeerId } from '../../protocol/ids.ts';
import { MIN_MESSAGE_BYTES } from '../../protocol/limits.ts';
import type { IceServer, RelayedSignal, Signal, SwarmView as NamedSwarm } from '../../protocol/signaling.ts';
import { MAX_BANNED, REDIAL_AFTER_MS, REOFFER_AFTER_MS } from '../core/limits.ts';
import type { Channel, Clock, Dialer, Random, Signaling, Trace } from '../core/ports.ts';
import { onOffer, roomToOffer, type Around, type Degree } from '../core/topology.ts';
import { Attempts, type Attempt, type Dialing } from './attempts.ts';
import type { Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';

export interface ConnectionsPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly signaling: Pick<Signaling, 'signal'>;
  readonly dialer: Dialer;
  readonly trace: Trace;
}

/** What the server said of us and the swarms. */
export interface Place {
  /** Our id; null: not known yet. */
  readonly peer: PeerId | null;
  readonly iceServers: readonly IceServer[];
  readonly around: Around;
}

export class Connections {
  readonly #ports: ConnectionsPorts;
  readonly #neighbours: Neighbours;
  readonly #place: () => Place;
  readonly #changed: () => void;
  readonly #attempts: Attempts;
  /** How often each was offered again. */
  readonly #redials = new Map<PeerId, number>();
  readonly #timers = new Set<() => void>();

  /** @param changed told of each attempt that is answered, and of each connection or attempt that ends */
  constructor(ports: ConnectionsPorts, neighbours: Neighbours, place: () => Place, changed: () => void) {
    this.#ports = ports;
    this.#neighbours = neighbours;
    this.#place = place;
    this.#changed = changed;
    this.#attempts = new Attempts(ports.clock, (attempt) => {
      ports.dialer.hangUp(attempt.connection);
      this.#failed(attempt);
    });
  }

  get degree(): Degree {
    return this.#attempts.degree;
  }

  /** Those of them that we began and that may still open. */
  get dialing(): Dialing {
    return this.#attempts.dialing;
  }

  /** A channel from the page. One that nobody expects is closed. */
  channel(connection: number, peer: PeerId, channel: Channel): void {
    const attempt = this.#attempts.get(connection);
    const isExpected = attempt?.peer === peer && !this.#neighbours.isBanned(peer);
    if (!isExpected) channel.close();
    else this.#neighbours.add(peer, connection, attempt.sameSite, channel);
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

  opened(neighbour: Neighbour): void {
    this.#attempts.opened(neighbour.connection);
    this.#redials.delete(neighbour.peer);
  }

  gone(neighbour: Neighbour): void {
    const attempt = this.#attempts.get(neighbour.connection);
    if (!attempt) return;
    if (this.#redials.size >= MAX_BANNED) this.#redials.clear();
    if (neighbour.leaving || this.#neighbours.isBanned(neighbour.peer))
      this.#redials.set(neighbour.peer, REDIAL_AFTER_MS.length);
    this.#hangUp(attempt);
  }

  /** @param again we asked for other names: those that we tried in vain are left alone */
  dialAll(swarm: NamedSwarm, again: boolean): void {
    const room = roomToOffer(this.#attempts.degree, swarm);
    const dial = (peers: readonly PeerId[], sameSite: boolean, most: number): void => {
      let left = most;
      for (const peer of peers) {
        if (left <= 0) return;
        if (again && this.#redials.has(peer)) continue;
        this.#redials.delete(peer);
        if (this.dial(peer, sameSite)) left--;
      }
    };
    dial(swarm.members, true, room.ofSite);
    dial(swarm.others, false, room.outside);
  }

  /** Hangs up on all, and offers none again. */
  close(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const attempt of this.#attempts.clear()) this.#ports.dialer.hangUp(attempt.connection);
  }

  /** Offers a connection. False: there is one to this peer already, or it is banned. */
  dial(peer: PeerId, sameSite: boolean): boolean {
    const { peer: own, iceServers } = this.#place();
    if (peer === own || this.#neighbours.isBanned(peer) || this.#attempts.of(peer)) return false;
    const connection = Math.floor(this.#ports.random() * 2 ** 32);
    this.#attempts.add(connection, peer, 'offers', sameSite);
    this.#ports.dialer.dial(connection, peer, iceServers);
    return true;
  }

  remoteSignal({ from, sameSite, signal }: RelayedSignal): void {
    if (this.#neighbours.isBanned(from)) return;
    if (signal.kind === 'offer' && !this.#accept(from, signal.connection, sameSite)) return;
    if (signal.kind === 'refuse') return this.#refusedBy(from, signal.connection);
    if (this.#attempts.get(signal.connection)?.peer !== from) return;
    if (signal.kind === 'answer') {
      this.#attempts.answered(signal.connection);
      this.#changed();
    }
    this.#ports.dialer.remoteSignal(from, signal, this.#place().iceServers);
  }

  /** Takes an offer, unless we have offered too and our id is the lower one, or there are too many already. */
  #accept(from: PeerId, connection: number, sameSite: boolean): boolean {
    const ours = this.#attempts.of(from);
    const { peer, around } = this.#place();
    if (this.#attempts.get(connection)) return false;
    if (ours?.state === 'dialing' && ours.role === 'offers' && peer !== null && peer < from) return false;
    const verdict = ours ? 'take' : onOffer(sameSite, this.#attempts.degree, around.siteSize);
    if (verdict === 'refuse') {
      void this.#ports.signaling.signal({ to: from, signal: { kind: 'refuse', connection } });
      return false;
    }
    if (verdict === 'replace') this.#giveUpOutside();
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

  /** The latest connection to another site makes place for one to ours. */
  #giveUpOutside(): void {
    const attempt = this.#attempts.latestOutside;
    if (!attempt) return;
    this.#redials.set(attempt.peer, REDIAL_AFTER_MS.length);
    const neighbour = this.#neighbours.get(attempt.peer);
    if (neighbour?.connection === attempt.connection) neighbour.leave();
    else this.#hangUp(attempt);
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
    this.#ports.trace('mesh', () => `failed ${attempt.peer}`);
    const tries = this.#redials.get(attempt.peer) ?? 0;
    const pause = REDIAL_AFTER_MS[tries];
    if (attempt.role === 'offers' && pause !== undefined) {
      this.#redials.set(attempt.peer, tries + 1);
      const cancel = this.#ports.clock.after(pause, () => {
        this.#timers.delete(cancel);
        this.dial(attempt.peer, attempt.sameSite);
      });
      this.#timers.add(cancel);
    }
    this.#changed();
  }
}
