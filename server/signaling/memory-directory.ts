import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SwarmState, SwarmView } from '../../protocol/signaling.ts';
import { NEXT_IN_LINE } from '../limits.ts';
import type { SiteKey } from '../site.ts';
import type { Claim, Directory } from './directory.ts';
import { MemorySwarm } from './memory-swarm.ts';
import type { Random } from './random-picks.ts';

/** Where a peer is, and for how many milliseconds. */
export interface Place {
  readonly swarm: SwarmId;
  readonly site: SiteKey;
  readonly age: number;
}

/** The directory of a single server. Swarms that nobody is in take no memory. */
export class MemoryDirectory implements Directory {
  readonly #swarms = new Map<SwarmId, MemorySwarm>();
  /** At most MAX_SWARMS of each peer: an array is searched as fast as a set, and takes a third of the memory. */
  readonly #swarmsOf = new Map<PeerId, SwarmId[]>();
  readonly #random: Random;

  readonly #now: () => number;

  /** @param now milliseconds, of any origin */
  constructor(random: Random = Math.random, now: () => number = () => performance.now()) {
    this.#random = random;
    this.#now = now;
  }

  enter(peer: PeerId): readonly SwarmId[] {
    return [...(this.#swarmsOf.get(peer) ?? [])];
  }

  join(id: SwarmId, peer: PeerId, site: SiteKey): SwarmView {
    const swarm = this.#swarms.get(id) ?? new MemorySwarm();
    this.#swarms.set(id, swarm);
    swarm.add(peer, site, this.#now());
    const swarms = this.#swarmsOf.get(peer);
    if (swarms === undefined) this.#swarmsOf.set(peer, [id]);
    else if (!swarms.includes(id)) swarms.push(id);
    const { size, siteSize, sites, keeper, next } = stateOf(id, swarm, site, peer);
    const { members, others } = swarm.pick(peer, this.#random);
    // not spread: for each join that costs as much as the picks
    return { swarm: id, size, siteSize, sites, keeper, next, members, others };
  }

  /** How many peers are in a swarm. */
  sizeOf(id: SwarmId): number {
    return this.#swarms.get(id)?.size ?? 0;
  }

  placesOf(peer: PeerId): Place[] {
    const places: Place[] = [];
    for (const swarm of this.#swarmsOf.get(peer) ?? []) {
      const member = this.#swarms.get(swarm)?.memberOf(peer);
      if (member !== undefined) places.push({ swarm, site: member.site, age: this.#now() - member.since });
    }
    return places;
  }

  leave(id: SwarmId, peer: PeerId): boolean {
    const left = this.#swarmsOf.get(peer)?.filter((swarm) => swarm !== id) ?? [];
    if (left.length === 0) this.#swarmsOf.delete(peer);
    else this.#swarmsOf.set(peer, left);
    return this.#remove(id, peer);
  }

  leaveAll(peer: PeerId): readonly SwarmId[] {
    const swarms = this.#swarmsOf.get(peer) ?? [];
    this.#swarmsOf.delete(peer);
    for (const id of swarms) this.#remove(id, peer);
    return swarms;
  }

  state(id: SwarmId, site: SiteKey): SwarmState | undefined {
    const swarm = this.#swarms.get(id);
    const [keeper] = swarm?.eldest(site, 1) ?? [];
    return swarm === undefined || keeper === undefined ? undefined : stateOf(id, swarm, site, keeper);
  }

  claim(id: SwarmId, peer: PeerId, digest: Digest, instead?: PeerId, isQuiet = false): Claim | undefined {
    return this.#swarms.get(id)?.claim(peer, digest, { instead, isQuiet }, this.#now());
  }

  #remove(id: SwarmId, peer: PeerId): boolean {
    const swarm = this.#swarms.get(id);
    if (swarm?.delete(peer) !== true) return false;
    if (swarm.size === 0) this.#swarms.delete(id);
    return true;
  }
}

/** @param member of the site, any */
function stateOf(id: SwarmId, swarm: MemorySwarm, site: SiteKey, member: PeerId): SwarmState {
  const [keeper = member, ...next] = swarm.eldest(site, 1 + NEXT_IN_LINE);
  return { swarm: id, size: swarm.size, siteSize: swarm.siteSize(site), sites: swarm.sites, keeper, next };
}
