import type { SwarmId } from '../../../protocol/ids.ts';
import { SWARM_NEWS_DELAY_MS, SWARM_NEWS_INTERVAL_MS, SWARM_NEWS_PER_MEMBER_MS } from '../../../server/limits.ts';
import type { Directory } from '../../../server/signaling/directory.ts';
import type { SiteKey } from '../../../server/site.ts';
import type { SignalClient } from './signal-client.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface Site {
  readonly members: Set<SignalClient>;
  /** As text. */
  told: string;
}

interface Swarm {
  readonly sites: Map<SiteKey, Site>;
  members: number;
  /** Earliest time for the next message. */
  notBefore: number;
  isChanged: boolean;
  isScheduled: boolean;
}

/** Tells members of changes as server/signaling/swarm-news.ts does, whose timers are Node's: at most once per swarm and second. */
export class SignalNews {
  readonly #clock: VirtualClock;
  readonly #directory: Directory;
  readonly #swarms = new Map<SwarmId, Swarm>();

  constructor(clock: VirtualClock, directory: Directory) {
    this.#clock = clock;
    this.#directory = directory;
  }

  joined(id: SwarmId, client: SignalClient): void {
    const swarm: Swarm = this.#swarms.get(id) ?? {
      sites: new Map(),
      members: 0,
      notBefore: 0,
      isChanged: false,
      isScheduled: false,
    };
    this.#swarms.set(id, swarm);
    const site: Site = swarm.sites.get(client.site) ?? { members: new Set(), told: '' };
    swarm.sites.set(client.site, site);
    if (site.members.has(client)) return;
    site.members.add(client);
    swarm.members++;
    this.#schedule(id, swarm);
  }

  /** @param swarms null: all */
  left(swarms: readonly SwarmId[] | null, client: SignalClient): void {
    for (const id of swarms ?? this.#swarms.keys()) {
      const swarm = this.#swarms.get(id);
      const site = swarm?.sites.get(client.site);
      if (!swarm || site?.members.delete(client) !== true) continue;
      swarm.members--;
      if (site.members.size === 0) swarm.sites.delete(client.site);
      this.#schedule(id, swarm);
    }
  }

  #schedule(id: SwarmId, swarm: Swarm): void {
    swarm.isChanged = true;
    if (swarm.isScheduled) return;
    swarm.isScheduled = true;
    const wait = Math.max(SWARM_NEWS_DELAY_MS, swarm.notBefore - this.#clock.now());
    this.#clock.after(wait, () => {
      swarm.isChanged = false;
      void this.#tell(id, swarm).then(() => {
        swarm.isScheduled = false;
        if (swarm.isChanged) this.#schedule(id, swarm);
      });
    });
  }

  async #tell(id: SwarmId, swarm: Swarm): Promise<void> {
    for (const [key, site] of [...swarm.sites]) {
      const state = await this.#directory.state(id, key);
      const text = JSON.stringify(state);
      if (state === undefined || site.told === text) continue;
      site.told = text;
      for (const member of site.members) member.hear('swarm', state);
    }
    swarm.notBefore = this.#clock.now() + Math.max(SWARM_NEWS_INTERVAL_MS, swarm.members * SWARM_NEWS_PER_MEMBER_MS);
  }
}
