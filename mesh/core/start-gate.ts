import {
  ANSWERED_WAIT_MS,
  CHANNEL_WAIT_MS,
  COMPANY_WAIT_MS,
  FIRST_REQUEST_WAIT_MS,
  INVENTORY_WAIT_MS,
  OUTSIDE_WAIT_MS,
  UNANSWERED_MEMBERS,
  UNANSWERED_WAIT_MS,
} from './limits.ts';

/** What neighbours in a swarm told of what they hold. */
export interface Inventories {
  /** Neighbours that told what they hold in this swarm. */
  readonly inventories: number;
  /** Neighbours in this swarm that have yet to tell. */
  readonly awaited: number;
  /** When the latest of these opened its channel, or we entered the swarm, whichever was later, ms on the engine's clock. */
  readonly awaitedSince: number;
}

/** What is known of a swarm's mesh when an asset of it is asked for. */
export type SwarmView =
  /** No mesh: no WebRTC, no consent, no server. */
  | { readonly kind: 'off' }
  /** The join reply has not come. */
  | { readonly kind: 'joining' }
  | Joined;

type Joined = Inventories & {
  readonly kind: 'joined';
  /** When the reply came, ms on the engine's clock. */
  readonly at: number;
  /** Site members that it named, to whom we have offered a channel that may still open. */
  readonly dialing: number;
  /** When the first site member answered our offer, ms on the engine's clock; Infinity: none has. */
  readonly answeredAt: number;
  /** The same of peers of other sites. */
  readonly dialingOutside: number;
};

/**
 * Until when a request made at `requestedAt` waits for the mesh before it goes to the origin, on the engine's clock; a time that
 * has passed by then means: not at all. To be asked again whenever the view changes.
 */
export function waitUntil(view: SwarmView, requestedAt: number): number {
  switch (view.kind) {
    case 'off':
      return requestedAt;
    case 'joining':
      return requestedAt + FIRST_REQUEST_WAIT_MS;
    case 'joined':
      return Math.max(
        Math.min(requestedAt + FIRST_REQUEST_WAIT_MS, channelAt(view)),
        Math.min(requestedAt + COMPANY_WAIT_MS, companyAt(view)),
      );
    default:
      return view satisfies never;
  }
}

/** Until when somebody whom the reply named is waited for, whatever we hear, or who has yet to tell what it holds. */
function channelAt({ at, dialing, dialingOutside, inventories, awaited, awaitedSince }: Joined): number {
  return Math.max(
    // One member that told is not enough, for it may be as new as we are; of other sites one is.
    dialing > 0 ? at + CHANNEL_WAIT_MS : 0,
    dialingOutside > 0 && inventories === 0 ? at + OUTSIDE_WAIT_MS : 0,
    awaited > 0 ? awaitedSince + INVENTORY_WAIT_MS : 0,
  );
}

/** The same of site members that are on their way: one has answered, or all are late. */
function companyAt({ at, dialing, answeredAt, awaited, awaitedSince }: Joined): number {
  if (answeredAt < Infinity)
    return Math.max(dialing > 0 ? answeredAt : 0, awaited > 0 ? awaitedSince : 0) + ANSWERED_WAIT_MS;
  return dialing >= UNANSWERED_MEMBERS ? at + UNANSWERED_WAIT_MS : 0;
}
