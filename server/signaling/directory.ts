import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SwarmState } from '../../protocol/signaling.ts';
import type { SiteKey } from '../site.ts';

/** Whom a newcomer should offer a connection. Never names the newcomer. */
export interface Members {
  /** Of its own site. */
  readonly members: readonly PeerId[];
  /** From outside. */
  readonly others: readonly PeerId[];
}

/** How many peers a swarm has; zeros if nobody is in it. */
export interface Sizes {
  readonly size: number;
  readonly siteSize: number;
  readonly sites: number;
}

/** Who crosses an asset for a site. */
export interface Claim {
  readonly crosser: PeerId;
  /** Milliseconds since it claimed it. */
  readonly since: number;
  /** Milliseconds since the site's oldest member, the asker aside, joined; null: there is none. */
  readonly companyFor: number | null;
  /** How often others were told of this crosser before. */
  readonly told: number;
}

/**
 * The record of who is in which swarm. Asynchronous, so that several servers can share one.
 * Calls for one peer are made one after the other; calls for different peers may overlap.
 */
export interface Directory {
  /** Adds a peer to a swarm, last in its site's line. A peer that is in it already keeps its place. */
  join(swarm: SwarmId, peer: PeerId, site: SiteKey): Promise<void>;
  /** @returns whether the peer was in the swarm */
  leave(swarm: SwarmId, peer: PeerId): Promise<boolean>;
  /** Takes a peer out of everything. @returns the swarms that it was in */
  leaveAll(peer: PeerId): Promise<readonly SwarmId[]>;
  /** Some of the swarm's peers for one that is in it, picked at random: O(1) for each pick. */
  members(swarm: SwarmId, peer: PeerId): Promise<Members>;
  sizes(swarm: SwarmId, site: SiteKey): Promise<Sizes>;
  /** Sizes, keeper (the oldest member of the site) and the next two; undefined if nobody of the site is in the swarm. */
  state(swarm: SwarmId, site: SiteKey): Promise<SwarmState | undefined>;
  /**
   * The first of a site that claims an asset crosses it, until it leaves, or until somebody claims it `instead`. Only the latest
   * MAX_CLAIMS_PER_SITE are remembered. undefined: the peer is not in the swarm.
   */
  claim(swarm: SwarmId, peer: PeerId, digest: Digest, instead?: PeerId): Promise<Claim | undefined>;
}
