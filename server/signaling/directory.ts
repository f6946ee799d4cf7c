import type { Digest, PeerId, SwarmId } from '../../protocol/ids.ts';
import type { SwarmState, SwarmView } from '../../protocol/signaling.ts';
import type { Awaitable } from '../awaitable.ts';
import type { SiteKey } from '../site.ts';

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
 * The record of who is in which swarm. It may answer later, so that several servers can share one.
 * Calls for one peer are made one after the other; calls for different peers may overlap.
 */
export interface Directory {
  /**
   * The peer is connected to this server from now on, also if it was to another.
   * @param epoch of the tab that speaks for it
   * @returns the swarms in which it has a place from before; `superseded`: another server has a tab of a higher epoch
   */
  enter(peer: PeerId, epoch: number): Awaitable<readonly SwarmId[] | 'superseded'>;
  /**
   * Adds a peer that has entered to a swarm, last in its site's line. A peer that is in it already keeps its place.
   * @returns what it has to know of the swarm: its state, and some of the others, picked at random: O(1) for each pick
   */
  join(swarm: SwarmId, peer: PeerId, site: SiteKey): Awaitable<SwarmView>;
  /** @returns whether the peer was in the swarm */
  leave(swarm: SwarmId, peer: PeerId): Awaitable<boolean>;
  /** Takes a peer out of everything. @returns the swarms that it was in */
  leaveAll(peer: PeerId): Awaitable<readonly SwarmId[]>;
  /** Sizes, keeper (the oldest member of the site) and the next two; undefined if nobody of the site is in the swarm. */
  state(swarm: SwarmId, site: SiteKey): Awaitable<SwarmState | undefined>;
  /**
   * The first of a site that claims an asset crosses it, until it leaves, or until somebody claims it `instead`. Only the latest
   * MAX_CLAIMS_PER_SITE are remembered. undefined: the peer is not in the swarm.
   * @param isQuiet its claim is forgotten at once: others are not to wait for it
   */
  claim(
    swarm: SwarmId,
    peer: PeerId,
    digest: Digest,
    instead?: PeerId,
    isQuiet?: boolean,
  ): Awaitable<Claim | undefined>;
}
