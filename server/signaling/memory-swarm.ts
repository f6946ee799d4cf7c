import type { Digest, PeerId } from '../../protocol/ids.ts';
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../protocol/limits.ts';
import type { SwarmView } from '../../protocol/signaling.ts';
import { MAX_CLAIMS_PER_SITE, MAX_OUTSIDE_DRAWS } from '../limits.ts';
import type { SiteKey } from '../site.ts';
import type { Claim } from './directory.ts';
import { PickableSet, type Random } from './random-picks.ts';

interface Site {
  /** Members and when they joined, in this order: the first is the keeper. A Map keeps the order and deletes in O(1). */
  readonly line: Map<PeerId, number>;
  readonly peers: PickableSet<PeerId>;
  /** Who crosses which asset, the latest claims. */
  readonly claims: Map<Digest, Pick<Claim, 'crosser' | 'told'> & { readonly at: number }>;
}

/** One swarm in memory: its sites, and each site's members in join order. */
export class MemorySwarm {
  readonly #peers = new PickableSet<PeerId>();
  readonly #siteOf = new Map<PeerId, SiteKey>();
  readonly #sites = new Map<SiteKey, Site>();
  readonly #siteKeys = new PickableSet<SiteKey>();

  get size(): number {
    return this.#peers.size;
  }

  get sites(): number {
    return this.#sites.size;
  }

  siteSize(site: SiteKey): number {
    return this.#sites.get(site)?.line.size ?? 0;
  }

  /** `since`: when it joined, by the clock of `add`. */
  memberOf(peer: PeerId): { readonly site: SiteKey; readonly since: number } | undefined {
    const site = this.#siteOf.get(peer);
    const since = site === undefined ? undefined : this.#sites.get(site)?.line.get(peer);
    return site === undefined || since === undefined ? undefined : { site, since };
  }

  add(peer: PeerId, key: SiteKey, now: number): void {
    const before = this.#siteOf.get(peer);
    if (before === key) return;
    if (before !== undefined) this.delete(peer);
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = { line: new Map(), peers: new PickableSet(), claims: new Map() };
      this.#sites.set(key, site);
      this.#siteKeys.add(key);
    }
    site.line.set(peer, now);
    site.peers.add(peer);
    this.#siteOf.set(peer, key);
    this.#peers.add(peer);
  }

  delete(peer: PeerId): boolean {
    const key = this.#siteOf.get(peer);
    if (key === undefined) return false;
    this.#siteOf.delete(peer);
    this.#peers.delete(peer);
    const site = this.#sites.get(key);
    site?.line.delete(peer);
    site?.peers.delete(peer);
    if (site?.line.size === 0) {
      this.#sites.delete(key);
      this.#siteKeys.delete(key);
    }
    return true;
  }

  /** The first `count` of a site in join order. */
  eldest(site: SiteKey, count: number): PeerId[] {
    return take(this.#sites.get(site)?.line.keys() ?? [], count);
  }

  /** A claim of somebody who has left counts no more. */
  claim(peer: PeerId, digest: Digest, instead: PeerId | undefined, now: number): Claim | undefined {
    const key = this.#siteOf.get(peer);
    const site = key === undefined ? undefined : this.#sites.get(key);
    if (site === undefined) return undefined;
    const before = site.claims.get(digest);
    const stands = before !== undefined && before.crosser !== instead && site.line.has(before.crosser);
    const { crosser, at, told } = stands ? before : { crosser: peer, at: now, told: 0 };
    site.claims.set(digest, { crosser, at, told: crosser === peer ? told : told + 1 });
    if (site.claims.size > MAX_CLAIMS_PER_SITE)
      for (const oldest of take(site.claims.keys(), 1)) site.claims.delete(oldest);
    const [company] = take(
      without(site.line.keys(), (other) => other === peer),
      1,
    );
    const companyFor = company === undefined ? null : Math.round(now - (site.line.get(company) ?? now));
    return { crosser, since: Math.round(now - at), companyFor, told };
  }

  /** Random members for `peer`: 8 of its site and 4 from outside, 12 in all if either side has them. */
  pick(peer: PeerId, random: Random): Pick<SwarmView, 'members' | 'others'> {
    const key = this.#siteOf.get(peer);
    const site = key === undefined ? undefined : this.#sites.get(key);
    const atSite = (site?.peers.size ?? 1) - 1;
    const outside = this.size - (site?.peers.size ?? 0);
    const fewestOthers = Math.min(outside, OUTSIDE_NEIGHBOURS);
    const siteCount = Math.min(atSite, Math.max(SITE_NEIGHBOURS, MAX_NEIGHBOURS - fewestOthers));
    return {
      members: site?.peers.sample(siteCount, random, (other) => other === peer) ?? [],
      others: this.#pickOutside(key, site, Math.min(outside, MAX_NEIGHBOURS - siteCount), random),
    };
  }

  /** Draws from the whole swarm, so that each outside peer is as likely as any other; when one's own site is nearly all of it, site by site. */
  #pickOutside(own: SiteKey | undefined, site: Site | undefined, count: number, random: Random): PeerId[] {
    if (count === 0) return [];
    const isOwn = (peer: PeerId): boolean => site?.peers.has(peer) === true;
    const drawn = this.#peers.sample(count, random, isOwn, MAX_OUTSIDE_DRAWS);
    if (drawn.length === count) return drawn;
    const picked = new Set(drawn);
    for (const key of this.#siteKeys.shuffled(random)) {
      if (key === own) continue;
      for (const peer of this.#sites.get(key)?.peers.shuffled(random) ?? []) {
        if (picked.size === count) return [...picked];
        picked.add(peer);
      }
    }
    return [...picked];
  }
}

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  if (count <= 0) return taken;
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

function* without<T>(items: Iterable<T>, isOut: (item: T) => boolean): Generator<T, void, undefined> {
  for (const item of items) if (!isOut(item)) yield item;
}
