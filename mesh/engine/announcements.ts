/** What we tell our neighbours of ourselves: the swarms we are in, what we hold, what we have under way, and what we want. Owned by the Neighbours. */
import type { Digest, Sha256, SwarmId, SwarmKey } from '../../protocol/ids.ts';
import type { Want } from '../../protocol/peer-message.ts';
import { swarmKey } from '../../protocol/swarm-key.ts';
import type { BlockTable } from '../core/block-table.ts';
import { Holdings } from '../core/holdings.ts';
import type { Clock } from '../core/ports.ts';
import type { Named, Neighbour } from './neighbour.ts';

export interface AnnouncementsPorts {
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** False for a peer that hands nothing out: it announces nothing either. */
  readonly announces: boolean;
  readonly open: () => readonly Neighbour[];
}

/** Tells and hears what is at URLs. */
export interface NamesByUrl {
  /** Before the neighbour is told what we hold in this swarm. */
  tell(neighbour: Neighbour, swarm: SwarmId): void;
  heard(neighbour: Neighbour, message: Named): void;
}

export class Announcements {
  readonly #ports: AnnouncementsPorts;
  readonly #keys = new Map<SwarmId, SwarmKey>();
  readonly #enteredAt = new Map<SwarmId, number>();
  readonly #holdings = new Holdings();
  /** What is shared by URLs, once that is here. */
  byUrl: NamesByUrl | null = null;
  /** What we have under way and hand out: how many hops we are from who crosses. */
  readonly #fetching = new Map<SwarmId, Map<Digest, number>>();

  constructor(ports: AnnouncementsPorts) {
    this.#ports = ports;
  }

  /** Undefined: we are not in this swarm, or its key is not computed yet. */
  keyOf(swarm: SwarmId): SwarmKey | undefined {
    return this.#keys.get(swarm);
  }

  swarmOf(key: SwarmKey): SwarmId | undefined {
    for (const [swarm, of] of this.#keys) if (of === key) return swarm;
    return undefined;
  }

  /** When we entered a swarm, on the clock; 0: we are not in it. */
  enteredAt(swarm: SwarmId): number {
    return this.#enteredAt.get(swarm) ?? 0;
  }

  async enter(swarm: SwarmId): Promise<void> {
    if (this.#enteredAt.has(swarm)) return;
    this.#enteredAt.set(swarm, this.#ports.clock.now());
    const key = await swarmKey(swarm, this.#ports.sha256);
    if (this.#keys.has(swarm) || !this.#enteredAt.has(swarm)) return; // Left meanwhile.
    this.#keys.set(swarm, key);
    for (const neighbour of this.#ports.open()) {
      this.hello(neighbour);
      this.tell(neighbour);
    }
  }

  exit(swarm: SwarmId): void {
    this.#enteredAt.delete(swarm);
    const key = this.#keys.get(swarm);
    if (key === undefined || !this.#keys.delete(swarm)) return;
    this.#holdings.drop(swarm);
    this.#fetching.delete(swarm);
    for (const neighbour of this.#ports.open()) {
      neighbour.told.delete(key);
      this.hello(neighbour);
    }
  }

  /** Says in which swarms we are. */
  hello(neighbour: Neighbour): void {
    neighbour.hello([...this.#keys.values()]);
  }

  /** Says what we hold in each common swarm that the neighbour was not told of yet. */
  tell(neighbour: Neighbour): void {
    const { announces } = this.#ports;
    for (const [swarm, key] of this.#keys) {
      if (!neighbour.swarms.has(key) || neighbour.told.has(key)) continue;
      if (announces) this.byUrl?.tell(neighbour, swarm);
      neighbour.have(key, announces ? this.#holdings.in(swarm) : []);
      for (const [digest, hops] of (announces && this.#fetching.get(swarm)) || [])
        neighbour.send({ type: 'fetching', swarm: key, digest, hops, lineRate: 0 });
    }
  }

  /** Did we say that we hold it? */
  holds(digest: Digest): boolean {
    return this.#holdings.has(digest);
  }

  /** We hold this asset from now on. */
  hold(swarm: SwarmId, digest: Digest): void {
    if (this.#holdings.add(swarm, digest))
      for (const [neighbour, key] of this.listeners(swarm)) neighbour.have(key, [digest]);
  }

  /** We hold these no more. */
  lose(digests: readonly Digest[]): void {
    for (const digest of digests) for (const swarm of this.#holdings.remove(digest)) this.lost(swarm, digest);
  }

  /** We have this asset under way and hand it out; told to those of other sites, and at ours to all but those who have it nearer. */
  fetching(swarm: SwarmId, digest: Digest, hops: number, lineRate: number): void {
    const under = this.#fetching.get(swarm) ?? new Map<Digest, number>();
    this.#fetching.set(swarm, under.set(digest, hops));
    for (const [neighbour, key] of this.listeners(swarm))
      if (!neighbour.holds(digest) && (!neighbour.sameSite || (neighbour.hopsOf(digest) ?? Infinity) > hops))
        neighbour.send({ type: 'fetching', swarm: key, digest, hops, lineRate });
  }

  /** Tells those of other sites who have it under way too which of its blocks we have: they ask for those. Who crosses will have all. */
  bitfield(digest: Digest, table: BlockTable, neighbours = this.#ports.open()): void {
    const others = neighbours.filter((neighbour) => !neighbour.sameSite && neighbour.hopsOf(digest) !== undefined);
    const isAnnounced = [...this.#fetching.values()].some((under) => (under.get(digest) ?? 0) > 0);
    if (others.length === 0 || !isAnnounced || !this.#ports.announces) return;
    const blocks = table.here;
    for (const neighbour of others)
      if (blocks.some((block) => !neighbour.has(digest, block))) neighbour.send({ type: 'bitfield', digest, blocks });
  }

  /** What we had under way is here, or will not come. */
  fetched(swarm: SwarmId, digest: Digest, came: boolean): void {
    if (this.#fetching.get(swarm)?.delete(digest) === true && !came) this.lost(swarm, digest);
  }

  /** Tells the neighbours of our site what we are about to cross, and do not yet. */
  queued(swarm: SwarmId, announced: readonly Digest[]): void {
    const under = this.#fetching.get(swarm);
    const digests = announced.filter((digest) => under?.has(digest) !== true);
    if (digests.length === 0) return;
    for (const [neighbour, key] of this.listeners(swarm))
      if (neighbour.sameSite) neighbour.send({ type: 'queued', swarm: key, digests });
  }

  /** Asks a neighbour, the keeper, to bring an asset. */
  want(neighbour: Neighbour, swarm: SwarmId, want: Want): void {
    const key = this.#keys.get(swarm);
    if (key !== undefined) neighbour.send({ type: 'want', swarm: key, wants: [want] });
  }

  /** What we held, or said that we would bring, is not to be had from us. */
  lost(swarm: SwarmId, digest: Digest): void {
    for (const [neighbour, key] of this.listeners(swarm))
      neighbour.send({ type: 'lost', swarm: key, digests: [digest] });
  }

  /** Who is to hear what we hold in this swarm, and its key. */
  listeners(swarm: SwarmId): readonly (readonly [Neighbour, SwarmKey])[] {
    const key = this.#keys.get(swarm);
    if (key === undefined || !this.#ports.announces) return [];
    return this.#ports
      .open()
      .filter(({ told }) => told.has(key))
      .map((neighbour) => [neighbour, key]);
  }
}
