import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SwarmState } from '../../protocol/signaling.ts';
import type { SiteKey } from '../site.ts';
import type { Claim, Directory, Members, Sizes } from './directory.ts';
import { MemorySwarm } from './memory-swarm.ts';
import type { Random } from './random-picks.ts';

/** Members in line behind the keeper that are named. */
const NEXT_IN_LINE = 2;

/** The directory of a single server. Swarms that nobody is in take no memory. */
export class MemoryDirectory implements Directory {
  readonly #swarms = new Map<SwarmId, MemorySwarm>();
  readonly #swarmsOf = new Map<PeerId, Set<SwarmId>>();
  readonly #random: Random;

  readonly #now: () => number;

  /** @param now milliseconds, of any origin */
  constructor(random: Random = Math.random, now: () => number = () => performance.now()) {
    this.#random = random;
    this.#now = now;
  }

  async join(id: SwarmId, peer: PeerId, site: SiteKey): Promise<void> {
    const swarm = this.#swarms.get(id) ?? new MemorySwarm();
    this.#swarms.set(id, swarm);
    swarm.add(peer, site, this.#now());
    const swarms = this.#swarmsOf.get(peer) ?? new Set();
    this.#swarmsOf.set(peer, swarms.add(id));
  }

  async leave(id: SwarmId, peer: PeerId): Promise<boolean> {
    const swarms = this.#swarmsOf.get(peer);
    if (swarms?.delete(id) === true && swarms.size === 0) this.#swarmsOf.delete(peer);
    const swarm = this.#swarms.get(id);
    if (swarm?.delete(peer) !== true) return false;
    if (swarm.size === 0) this.#swarms.delete(id);
    return true;
  }

  async leaveAll(peer: PeerId): Promise<readonly SwarmId[]> {
    const swarms = [...(this.#swarmsOf.get(peer) ?? [])];
    for (const id of swarms) await this.leave(id, peer);
    return swarms;
  }

  async members(id: SwarmId, peer: PeerId): Promise<Members> {
    return this.#swarms.get(id)?.pick(peer, this.#random) ?? { members: [], others: [] };
  }

  async sizes(id: SwarmId, site: SiteKey): Promise<Sizes> {
    const swarm = this.#swarms.get(id);
    return { size: swarm?.size ?? 0, siteSize: swarm?.siteSize(site) ?? 0, sites: swarm?.sites ?? 0 };
  }

  async state(id: SwarmId, site: SiteKey): Promise<SwarmState | undefined> {
    const [keeper, ...next] = this.#swarms.get(id)?.eldest(site, 1 + NEXT_IN_LINE) ?? [];
    return keeper === undefined ? undefined : { swarm: id, ...(await this.sizes(id, site)), keeper, next };
  }

  async claim(id: SwarmId, peer: PeerId, digest: Digest, instead?: PeerId): Promise<Claim | undefined> {
    return this.#swarms.get(id)?.claim(peer, digest, instead, this.#now());
  }
}
