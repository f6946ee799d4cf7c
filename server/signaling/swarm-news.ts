/**
 * Tells the members of a swarm when its sizes, their site's keeper or the next in line change. Owns the timers: at most one message per swarm
 * and second, fewer for large swarms. Knows only the sites that have a socket on this server.
 */
import createDebug from 'debug';
import type { SwarmId } from '../../protocol/ids.ts';
import type { SwarmState } from '../../protocol/signaling.ts';
import {
  SWARM_NEWS_DELAY_MS,
  SWARM_NEWS_EXACT_SIZE,
  SWARM_NEWS_INTERVAL_MS,
  SWARM_NEWS_PER_MEMBER_MS,
  SWARM_NEWS_TOLERANCE,
} from '../limits.ts';
import type { SiteKey } from '../site.ts';
import type { Directory } from './directory.ts';

const debug = createDebug('p2p:server:news');

export interface SwarmNewsOptions<Member> {
  readonly directory: Directory;
  /** Sends a state to members of the swarm: those of one site that are at this server. */
  readonly send: (members: ReadonlySet<Member>, state: SwarmState) => void;
  /** Milliseconds, of any origin. */
  readonly now: () => number;
}

/** How many there are. */
export interface Places {
  readonly swarms: number;
  readonly sites: number;
}

interface Swarm<Member> {
  /** Members on this server for each site. */
  readonly sites: Map<SiteKey, Set<Member>>;
  /** What each site was told last. */
  readonly told: Map<SiteKey, SwarmState>;
  timer: NodeJS.Timeout | undefined;
  /** Members on this server, of all sites. */
  members: number;
  /** When it was told last. */
  toldAt: number;
  changed: boolean;
}

export class SwarmNews<Member> {
  readonly #swarms = new Map<SwarmId, Swarm<Member>>();
  readonly #options: SwarmNewsOptions<Member>;
  #closed = false;

  constructor(options: SwarmNewsOptions<Member>) {
    this.#options = options;
  }

  /** Swarms and sites with a socket on this server. */
  get places(): Places {
    const sites = new Set<SiteKey>();
    for (const swarm of this.#swarms.values()) for (const site of swarm.sites.keys()) sites.add(site);
    return { swarms: this.#swarms.size, sites: sites.size };
  }

  /** A member of this site is now in the swarm. */
  joined(id: SwarmId, site: SiteKey, member: Member): void {
    if (this.#closed) return;
    const swarm: Swarm<Member> = this.#swarms.get(id) ?? {
      sites: new Map(),
      told: new Map(),
      timer: undefined,
      members: 0,
      toldAt: -Infinity,
      changed: false,
    };
    this.#swarms.set(id, swarm);
    const members = swarm.sites.get(site);
    if (members) members.add(member);
    else swarm.sites.set(site, new Set([member]));
    swarm.members++;
    this.#schedule(id, swarm);
  }

  /** Somebody came or left at another server. */
  changed(id: SwarmId): void {
    const swarm = this.#swarms.get(id);
    if (swarm !== undefined) this.#schedule(id, swarm);
  }

  /** A member of this site has left the swarm. */
  left(id: SwarmId, site: SiteKey, member: Member): void {
    const swarm = this.#swarms.get(id);
    if (swarm === undefined) return;
    const members = swarm.sites.get(site);
    if (members?.delete(member) === true) swarm.members--;
    if (!members?.size) {
      swarm.sites.delete(site);
      swarm.told.delete(site);
    }
    if (swarm.sites.size > 0) {
      this.#schedule(id, swarm);
      return;
    }
    clearTimeout(swarm.timer);
    this.#swarms.delete(id);
  }

  /** Ends all timers. */
  close(): void {
    this.#closed = true;
    for (const swarm of this.#swarms.values()) clearTimeout(swarm.timer);
    this.#swarms.clear();
  }

  #schedule(id: SwarmId, swarm: Swarm<Member>): void {
    swarm.changed = true;
    if (swarm.timer !== undefined || this.#closed) return;
    swarm.timer = setTimeout(() => this.#tellWhenDue(id, swarm), Math.max(SWARM_NEWS_DELAY_MS, this.#waitOf(swarm)));
  }

  /** It may have grown since, and a large one is told less often. */
  #tellWhenDue(id: SwarmId, swarm: Swarm<Member>): void {
    const wait = this.#waitOf(swarm);
    if (wait > 0) {
      swarm.timer = setTimeout(() => this.#tellWhenDue(id, swarm), wait);
      return;
    }
    this.#tell(id, swarm)
      .catch((error: unknown) => debug('news of %s failed: %o', id, error))
      .finally(() => {
        swarm.timer = undefined;
        if (swarm.changed && this.#swarms.get(id) === swarm) this.#schedule(id, swarm);
      });
  }

  /** Milliseconds until the swarm may be told again; 0 or less: it may. */
  #waitOf({ members, toldAt }: Swarm<Member>): number {
    return toldAt + Math.max(SWARM_NEWS_INTERVAL_MS, members * SWARM_NEWS_PER_MEMBER_MS) - this.#options.now();
  }

  async #tell(id: SwarmId, swarm: Swarm<Member>): Promise<void> {
    swarm.changed = false;
    for (const [site, members] of [...swarm.sites]) {
      const state = await this.#options.directory.state(id, site);
      if (this.#closed || state === undefined || !swarm.sites.has(site) || !isNews(state, swarm.told.get(site)))
        continue;
      swarm.told.set(site, state);
      this.#options.send(members, state);
    }
    swarm.toldAt = this.#options.now();
  }
}

/** Who keeps and who is next is always news, sizes are where somebody would decide otherwise. */
function isNews(state: SwarmState, told: SwarmState | undefined): boolean {
  if (told === undefined || state.keeper !== told.keeper) return true;
  if (state.next.length !== told.next.length || state.next.some((peer, index) => peer !== told.next[index]))
    return true;
  return isOff(state.size, told.size) || isOff(state.siteSize, told.siteSize) || isOff(state.sites, told.sites);
}

const isOff = (size: number, told: number): boolean =>
  size !== told && (told <= SWARM_NEWS_EXACT_SIZE || Math.abs(size - told) >= SWARM_NEWS_TOLERANCE * told);
