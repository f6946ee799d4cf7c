/** Who of many becomes a neighbour. Decisions only. */
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../protocol/limits.ts';
import { DIALS_IN_CROWD, MAX_CONNECTIONS, MAX_CONNECTIONS_ALONE, MAX_OUTSIDE, MIN_NEIGHBOURS } from './limits.ts';

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
 * How many more may be offered a connection at our site and outside; none where it is negative. A small swarm becomes a full mesh. In a
 * large one each newcomer offers half of what a peer should have: as many others will offer to it.
 */
export function roomToOffer({ ofSite, outside }: Degree, { size, siteSize }: Around): Degree {
  if (size <= MAX_NEIGHBOURS + 1) return { ofSite: MAX_NEIGHBOURS - ofSite, outside: MAX_NEIGHBOURS - outside };
  return {
    ofSite: SITE_NEIGHBOURS / 2 - ofSite,
    outside: (siteSize > 1 ? OUTSIDE_NEIGHBOURS / 2 : DIALS_IN_CROWD) - outside,
  };
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
  const isFull = ofSite + outside >= (siteSize > 1 ? MAX_CONNECTIONS : MAX_CONNECTIONS_ALONE);
  if (sameSite && isFull) return outside > OUTSIDE_NEIGHBOURS ? 'replace' : 'refuse';
  return isFull || (!sameSite && siteSize > 1 && outside >= MAX_OUTSIDE) ? 'refuse' : 'take';
}

/** Are there so few neighbours that the server is to name others? */
export const hasTooFew = ({ ofSite, outside }: Degree, { size, siteSize }: Around): boolean =>
  ofSite < Math.min(MIN_NEIGHBOURS, siteSize - 1) || outside < Math.min(OUTSIDE_NEIGHBOURS, size - siteSize);
