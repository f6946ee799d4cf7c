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

export interface SwarmNewsOptions {
  readonly directory: Directory;
  /** Sends a state to all members of the swarm at this site. */
  readonly send: (site: SiteKey, state: SwarmState) => void;
  /** Milliseconds, of any origin. */
  readonly now: () => number;
}

/** How many there are. */
export interface Places {
  readonly swarms: number;
  readonly sites: number;
}

interface Swarm {
  /** Members on this server for each site. */
  readonly sites: Map<SiteKey, number>;
  /** What each site was told last. */
  readonly told: Map<SiteKey, SwarmState>;
  timer: NodeJS.Timeout | undefined;
  /** Earliest time for the next message. */
  notBefore: number;
  changed: boolean;
}

export class SwarmNews {
  readonly #swarms = new Map<SwarmId, Swarm>();
  readonly #options: SwarmNewsOptions;
  #closed = false;

  constructor(options: SwarmNewsOptions) {
    this.#options = options;
  }

  /** Swarms and sites with a socket on this server. */
  get places(): Places {
    const sites = new Set<SiteKey>();
    for (const swarm of this.#swarms.values()) for (const site of swarm.sites.keys()) sites.add(site);
    return { swarms: this.#swarms.size, sites: sites.size };
  }

  /** A socket of this site is now in the swarm. */
  joined(id: SwarmId, site: SiteKey): void {
    if (this.#closed) return;
    const swarm: Swarm = this.#swarms.get(id) ?? {
      sites: new Map(),
      told: new Map(),
      timer: undefined,
      notBefore: 0,
      changed: false,
    };
    this.#swarms.set(id, swarm);
    swarm.sites.set(site, (swarm.sites.get(site) ?? 0) + 1);
    this.#schedule(id, swarm);
  }

  /** Somebody came or left at another server. */
  changed(id: SwarmId): void {
    const swarm = this.#swarms.get(id);
    if (swarm !== undefined) this.#schedule(id, swarm);
  }

  /** A socket of this site has left the swarm. */
  left(id: SwarmId, site: SiteKey): void {
    const swarm = this.#swarms.get(id);
    if (swarm === undefined) return;
    const count = (swarm.sites.get(site) ?? 0) - 1;
    if (count > 0) swarm.sites.set(site, count);
    else {
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

  #schedule(id: SwarmId, swarm: Swarm): void {
    swarm.changed = true;
    if (swarm.timer !== undefined || this.#closed) return;
    const wait = Math.max(SWARM_NEWS_DELAY_MS, swarm.notBefore - this.#options.now());
    swarm.timer = setTimeout(() => {
      this.#tell(id, swarm)
        .catch((error: unknown) => debug('news of %s failed: %o', id, error))
        .finally(() => {
          swarm.timer = undefined;
          if (swarm.changed && this.#swarms.get(id) === swarm) this.#schedule(id, swarm);
        });
    }, wait);
  }

  async #tell(id: SwarmId, swarm: Swarm): Promise<void> {
    swarm.changed = false;
    let members = 0;
    for (const [site, count] of [...swarm.sites]) {
      members += count;
      const state = await this.#options.directory.state(id, site);
      if (this.#closed || state === undefined || !swarm.sites.has(site) || !isNews(state, swarm.told.get(site)))
        continue;
      swarm.told.set(site, state);
      this.#options.send(site, state);
    }
    swarm.notBefore = this.#options.now() + Math.max(SWARM_NEWS_INTERVAL_MS, members * SWARM_NEWS_PER_MEMBER_MS);
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
