/** Who of many becomes a neighbour. Decisions only. */
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../protocol/limits.ts';
import { DIALS_IN_CROWD, MAX_CONNECTIONS, MAX_OUTSIDE, MIN_NEIGHBOURS } from './limits.ts';

/** Connections and attempts, by where they lead. */
export interface Degree {
  readonly ofSite: number;
  readonly outside: number;
}

/** A swarm as the server told it: peers, and peers of our site, ourselves included. */
export interface Around {
  readonly size: number;
  readonly siteSize: number;
}

/**
 * How many more may be offered a connection at our site and outside. A small swarm becomes a full mesh. In a large one each newcomer offers
 * half of what a peer should have: as many others will offer to it. One's own site comes first.
 */
export function roomToOffer({ ofSite, outside }: Degree, { size, siteSize }: Around): Degree {
  if (size <= MAX_NEIGHBOURS + 1) return { ofSite: MAX_NEIGHBOURS - ofSite, outside: MAX_NEIGHBOURS - outside };
  const most =
    siteSize > 1
      ? { ofSite: Math.max(SITE_NEIGHBOURS / 2, DIALS_IN_CROWD - OUTSIDE_NEIGHBOURS), outside: OUTSIDE_NEIGHBOURS / 2 }
      : { ofSite: 0, outside: DIALS_IN_CROWD };
  return { ofSite: Math.max(0, most.ofSite - ofSite), outside: Math.max(0, most.outside - outside) };
}

/**
 * What becomes of somebody's offer: it is taken, it takes the place of somebody outside, or it is refused. Those who came before their site
 * have outside neighbours enough to give up.
 */
export function onOffer(
  sameSite: boolean,
  { ofSite, outside }: Degree,
  siteSize: number,
): 'take' | 'replace' | 'refuse' {
  const isFull = ofSite + outside >= MAX_CONNECTIONS;
  if (sameSite && isFull) return outside > OUTSIDE_NEIGHBOURS ? 'replace' : 'refuse';
  return isFull || (!sameSite && siteSize > 1 && outside >= MAX_OUTSIDE) ? 'refuse' : 'take';
}

/** Are there so few neighbours that the server is to name others? */
export function hasTooFew({ ofSite, outside }: Degree, { size, siteSize }: Around): boolean {
  return (
    ofSite < Math.min(MIN_NEIGHBOURS, siteSize - 1) ||
    outside < Math.min(siteSize > 1 ? OUTSIDE_NEIGHBOURS : MIN_NEIGHBOURS, size - siteSize)
  );
}
