/** All our neighbours: tells them what we hold, finds who holds what, and drops who is gone or lies. Owned by the Engine. */
import type { P2PError } from '../../protocol/error.ts';
import type { Digest, PeerId, Sha256, SwarmId, SwarmKey } from '../../protocol/ids.ts';
import { swarmKey } from '../../protocol/swarm.ts';
import { Holdings } from '../core/holdings.ts';
import { LIVENESS_TICK_MS, MAX_BANNED } from '../core/limits.ts';
import type { Channel, Clock, Trace } from '../core/ports.ts';
import type { SwarmView } from '../core/start-gate.ts';
import { Neighbour } from './neighbour.ts';
import type { UploadAllowance } from './uploads.ts';

export interface NeighboursListener {
  /** A connection is open. */
  joined(neighbour: Neighbour): void;
  /** An open connection, or one that never opened, is gone. */
  gone(neighbour: Neighbour): void;
  /** What somebody holds, or which swarms somebody is in, has changed. */
  changed(): void;
  banned(peer: PeerId, reason: P2PError): void;
}

export interface NeighboursPorts {
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly trace: Trace;
  readonly allowance: UploadAllowance;
  /** False for a peer that hands nothing out: it announces nothing either. */
  readonly announces: boolean;
}

type Inventories = Pick<Extract<SwarmView, { kind: 'joined' }>, 'inventories' | 'awaited' | 'awaitedSince'>;

export class Neighbours {
  readonly #ports: NeighboursPorts;
  readonly #listener: NeighboursListener;
  readonly #all = new Map<PeerId, Neighbour>();
  readonly #banned = new Set<PeerId>();
  readonly #swarms = new Map<SwarmId, SwarmKey>();
  readonly #enteredAt = new Map<SwarmId, number>();
  readonly #holdings = new Holdings();
  #cancelTick: (() => void) | null = null;

  constructor(ports: NeighboursPorts, listener: NeighboursListener) {
    this.#ports = ports;
    this.#listener = listener;
  }

  get open(): readonly Neighbour[] {
    return [...this.#all.values()].filter((neighbour) => neighbour.open);
  }

  get bannedCount(): number {
    return this.#banned.size;
  }

  isBanned(peer: PeerId): boolean {
    return this.#banned.has(peer);
  }

  get(peer: PeerId): Neighbour | undefined {
    return this.#all.get(peer);
  }

  /** Takes a channel over, in the task in which it came. A newer connection to the same peer replaces the older one. */
  add(peer: PeerId, connection: number, channel: Channel): void {
    const older = this.#all.get(peer);
    const neighbour: Neighbour = new Neighbour(peer, connection, channel, this.#ports.clock, this.#ports.allowance, {
      opened: () => this.#opened(neighbour),
      greeted: () => this.#greeted(neighbour),
      told: () => this.#listener.changed(),
      broken: (_, error) => this.ban(neighbour, error),
      closed: () => this.#closed(neighbour),
    });
    this.#all.set(peer, neighbour);
    older?.close();
  }

  /** Open neighbours that hold the asset: those with the fewest blocks to send first. */
  holders(digest: Digest): readonly Neighbour[] {
    return this.open.filter((neighbour) => neighbour.holds(digest)).sort((a, b) => a.blocksDue - b.blocksDue);
  }

  /** Neighbours in this swarm: how many told what they hold, and how many have yet to; one that has not said hello, or a key that is not computed yet, may mean more. */
  inventories(swarm: SwarmId): Inventories {
    const key = this.#swarms.get(swarm);
    const since = this.#enteredAt.get(swarm) ?? 0;
    if (key === undefined) return inventoriesOf(0, this.open, since);
    const inSwarm = this.open.filter((neighbour) => !neighbour.greeted || neighbour.swarms.has(key));
    const awaited = inSwarm.filter((neighbour) => !neighbour.inventories.has(key));
    return inventoriesOf(inSwarm.length - awaited.length, awaited, since);
  }

  /** Enters a swarm and says so to all neighbours. */
  async enter(swarm: SwarmId): Promise<void> {
    if (this.#enteredAt.has(swarm)) return;
    this.#enteredAt.set(swarm, this.#ports.clock.now());
    const key = await swarmKey(swarm, this.#ports.sha256);
    if (this.#swarms.has(swarm) || !this.#enteredAt.has(swarm)) return; // Left meanwhile.
    this.#swarms.set(swarm, key);
    for (const neighbour of this.open) {
      neighbour.hello([...this.#swarms.values()]);
      this.#tell(neighbour);
    }
  }

  /** Leaves a swarm and says so to all neighbours. */
  exit(swarm: SwarmId): void {
    this.#enteredAt.delete(swarm);
    const key = this.#swarms.get(swarm);
    if (key === undefined || !this.#swarms.delete(swarm)) return;
    this.#holdings.drop(swarm);
    for (const neighbour of this.open) {
      neighbour.told.delete(key);
      neighbour.hello([...this.#swarms.values()]);
    }
  }

  /** Announces an asset that we hold from now on. */
  hold(swarm: SwarmId, digest: Digest): void {
    const key = this.#swarms.get(swarm);
    if (!this.#holdings.add(swarm, digest) || key === undefined || !this.#ports.announces) return;
    for (const neighbour of this.open) if (neighbour.told.has(key)) neighbour.have(key, [digest]);
  }

  /** Takes announcements back. */
  lose(digests: readonly Digest[]): void {
    for (const digest of digests) {
      for (const swarm of this.#holdings.remove(digest)) {
        const key = this.#swarms.get(swarm);
        if (key !== undefined && this.#ports.announces)
          for (const neighbour of this.open)
            if (neighbour.told.has(key)) neighbour.send({ type: 'lost', swarm: key, digests: [digest] });
      }
    }
  }

  /** Never again, on any swarm. */
  ban(neighbour: Neighbour, reason: P2PError): void {
    if (this.#banned.has(neighbour.peer)) return;
    this.#banned.add(neighbour.peer);
    if (this.#banned.size > MAX_BANNED) for (const oldest of this.#banned) if (this.#banned.delete(oldest)) break;
    neighbour.close();
    this.#listener.banned(neighbour.peer, reason);
  }

  /** Says goodbye to all. */
  leave(): void {
    for (const neighbour of [...this.#all.values()]) {
      neighbour.send({ type: 'bye' });
      neighbour.leaving = true;
      neighbour.close();
    }
    this.#cancelTick?.();
    this.#cancelTick = null;
  }

  #opened(neighbour: Neighbour): void {
    this.#ports.trace('mesh', () => `open ${neighbour.peer}`);
    neighbour.hello([...this.#swarms.values()]);
    this.#cancelTick ??= this.#ports.clock.after(LIVENESS_TICK_MS, () => this.#tick());
    this.#listener.joined(neighbour);
  }

  #greeted(neighbour: Neighbour): void {
    this.#tell(neighbour);
    this.#listener.changed();
  }

  /** Sends what we hold in each common swarm that the neighbour was not told of yet. */
  #tell(neighbour: Neighbour): void {
    for (const [swarm, key] of this.#swarms) {
      if (neighbour.swarms.has(key) && !neighbour.told.has(key))
        neighbour.have(key, this.#ports.announces ? this.#holdings.in(swarm) : []);
    }
  }

  #closed(neighbour: Neighbour): void {
    if (this.#all.get(neighbour.peer) === neighbour) this.#all.delete(neighbour.peer);
    this.#ports.trace('mesh', () => `gone ${neighbour.peer}`);
    this.#listener.gone(neighbour);
    this.#listener.changed();
  }

  #tick(): void {
    for (const neighbour of [...this.#all.values()]) neighbour.checkLiveness();
    this.#cancelTick = this.#all.size > 0 ? this.#ports.clock.after(LIVENESS_TICK_MS, () => this.#tick()) : null;
  }
}

const inventoriesOf = (inventories: number, awaited: readonly Neighbour[], enteredAt: number): Inventories => ({
  inventories,
  awaited: awaited.length,
  awaitedSince: Math.max(enteredAt, ...awaited.map(({ openedAt }) => openedAt)),
});
