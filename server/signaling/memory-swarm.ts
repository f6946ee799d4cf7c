import type { Digest, PeerId } from '../../protocol/ids.ts';
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../protocol/limits.ts';
import type { SwarmView } from '../../protocol/signaling.ts';
import { MAX_CLAIMS_PER_SITE, MAX_OUTSIDE_DRAWS } from '../limits.ts';
import type { SiteKey } from '../site.ts';
import type { Claim } from './directory.ts';
import { PickableList, type Random } from './random-picks.ts';

interface Member {
  readonly peer: PeerId;
  readonly site: Site;
  /** When it joined. */
  readonly since: number;
  /** Its places in the lists of the swarm and of its site. */
  place: number;
  placeAtSite: number;
}

interface Site {
  readonly key: SiteKey;
  /** In the order in which they joined: the first is the keeper. A Set keeps the order and deletes in O(1). */
  readonly line: Set<Member>;
  readonly members: PickableList<Member>;
  /** Who crosses which asset, the latest claims. */
  readonly claims: Map<Digest, Pick<Claim, 'crosser' | 'told'> & { readonly at: number }>;
  /** Its place in the list of sites. */
  place: number;
}

/** One swarm in memory: its sites, and each site's members in join order. */
export class MemorySwarm {
  readonly #members = new Map<PeerId, Member>();
  readonly #all = new PickableList<Member>();
  readonly #sites = new Map<SiteKey, Site>();
  readonly #allSites = new PickableList<Site>();

  get size(): number {
    return this.#members.size;
  }

  get sites(): number {
    return this.#sites.size;
  }

  siteSize(site: SiteKey): number {
    return this.#sites.get(site)?.line.size ?? 0;
  }

  /** `since`: when it joined, by the clock of `add`. */
  memberOf(peer: PeerId): { readonly site: SiteKey; readonly since: number } | undefined {
    const member = this.#members.get(peer);
    return member && { site: member.site.key, since: member.since };
  }

  add(peer: PeerId, key: SiteKey, now: number): void {
    const before = this.#members.get(peer);
    if (before?.site.key === key) return;
    if (before !== undefined) this.delete(peer);
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = { key, line: new Set(), members: new PickableList(), claims: new Map(), place: 0 };
      site.place = this.#allSites.add(site);
      this.#sites.set(key, site);
    }
    const member: Member = { peer, site, since: now, place: 0, placeAtSite: 0 };
    member.place = this.#all.add(member);
    member.placeAtSite = site.members.add(member);
    site.line.add(member);
    this.#members.set(peer, member);
  }

  delete(peer: PeerId): boolean {
    const member = this.#members.get(peer);
    if (member === undefined) return false;
    const { site, place, placeAtSite } = member;
    this.#members.delete(peer);
    site.line.delete(member);
    const moved = this.#all.deleteAt(place);
    if (moved !== undefined) moved.place = place;
    const movedAtSite = site.members.deleteAt(placeAtSite);
    if (movedAtSite !== undefined) movedAtSite.placeAtSite = placeAtSite;
    if (site.line.size > 0) return true;
    this.#sites.delete(site.key);
    const movedSite = this.#allSites.deleteAt(site.place);
    if (movedSite !== undefined) movedSite.place = site.place;
    return true;
  }

  /** The first `count` of a site in join order. */
  eldest(site: SiteKey, count: number): PeerId[] {
    return take(this.#sites.get(site)?.line ?? [], count).map(peerOf);
  }

  /** A claim of somebody who has left counts no more. */
  claim(
    peer: PeerId,
    digest: Digest,
    { instead, isQuiet }: { readonly instead: PeerId | undefined; readonly isQuiet: boolean },
    now: number,
  ): Claim | undefined {
    const member = this.#members.get(peer);
    if (member === undefined) return undefined;
    const { site } = member;
    const before = site.claims.get(digest);
    const stands =
      before !== undefined && before.crosser !== instead && this.#members.get(before.crosser)?.site === site;
    const { crosser, at, told } = stands ? before : { crosser: peer, at: now, told: 0 };
    if (stands || !isQuiet) site.claims.set(digest, { crosser, at, told: crosser === peer ? told : told + 1 });
    if (site.claims.size > MAX_CLAIMS_PER_SITE)
      for (const oldest of take(site.claims.keys(), 1)) site.claims.delete(oldest);
    const company = take(site.line, 2).find((other) => other !== member);
    const companyFor = company === undefined ? null : Math.round(now - company.since);
    return { crosser, since: Math.round(now - at), companyFor, told };
  }

  /** Random members for `peer`: 8 of its site and 4 from outside, 12 in all if either side has them. */
  pick(peer: PeerId, random: Random): Pick<SwarmView, 'members' | 'others'> {
    const member = this.#members.get(peer);
    const site = member?.site;
    const atSite = (site?.members.size ?? 1) - 1;
    const outside = this.size - (site?.members.size ?? 0);
    const fewestOthers = Math.min(outside, OUTSIDE_NEIGHBOURS);
    const siteCount = Math.min(atSite, Math.max(SITE_NEIGHBOURS, MAX_NEIGHBOURS - fewestOthers));
    return {
      members: site?.members.sample(siteCount, random, (other) => other === member).map(peerOf) ?? [],
      others: this.#pickOutside(site, Math.min(outside, MAX_NEIGHBOURS - siteCount), random),
    };
  }

  /** Draws from the whole swarm, so that each outside peer is as likely as any other; when one's own site is nearly all of it, site by site. */
  #pickOutside(own: Site | undefined, count: number, random: Random): PeerId[] {
    if (count === 0) return [];
    const drawn = this.#all.sample(count, random, ({ site }) => site === own, MAX_OUTSIDE_DRAWS).map(peerOf);
    if (drawn.length === count) return drawn;
    const picked = new Set(drawn);
    for (const site of this.#allSites.shuffled(random)) {
      if (site === own) continue;
      for (const { peer } of site.members.shuffled(random)) {
        if (picked.size === count) return [...picked];
        picked.add(peer);
      }
    }
    return [...picked];
  }
}

const peerOf = ({ peer }: Member): PeerId => peer;

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  if (count <= 0) return taken;
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}
