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
  /** When the latest of these opened its channel, or we entered the swarm, whichever was later, ms on the engine's clock; -Infinity: there are none. */
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
  /** When the latest of them answered our offer, ms on the engine's clock; -Infinity: none has. */
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

/** Until when somebody whom the reply named is waited for, whatever we hear. */
function channelAt({ at, dialing, dialingOutside, inventories }: Joined): number {
  // One member that told is not enough, for it may be as new as we are; of other sites one is.
  if (dialing > 0) return at + CHANNEL_WAIT_MS;
  return dialingOutside > 0 && inventories === 0 ? at + OUTSIDE_WAIT_MS : 0;
}

/** The same of those who are on their way: they answered, have a channel and did not tell yet, or all are late. */
function companyAt({ at, dialing, answeredAt, awaitedSince }: Joined): number {
  return Math.max(
    dialing >= UNANSWERED_MEMBERS && answeredAt < 0 ? at + UNANSWERED_WAIT_MS : 0,
    answeredAt + ANSWERED_WAIT_MS,
    awaitedSince + INVENTORY_WAIT_MS,
  );
}
