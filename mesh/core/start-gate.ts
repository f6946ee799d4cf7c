import { CHANNEL_WAIT_MS, FIRST_REQUEST_WAIT_MS, INVENTORY_WAIT_MS, OUTSIDE_WAIT_MS } from './limits.ts';

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
  | (Inventories & {
      readonly kind: 'joined';
      /** When the reply came, ms on the engine's clock. */
      readonly at: number;
      /** Site members that it named, to whom we have offered a channel that may still open. */
      readonly dialing: number;
      /** The same of peers of other sites. */
      readonly dialingOutside: number;
    });

/**
 * Until when a request made at `requestedAt` waits for the mesh before it goes to the origin, on the engine's clock; a time that
 * has passed means: not at all. To be asked again whenever the view changes.
 */
export function waitUntil(view: SwarmView, requestedAt: number): number {
  const latest = requestedAt + FIRST_REQUEST_WAIT_MS;
  switch (view.kind) {
    case 'off':
      return requestedAt;
    case 'joining':
      return latest;
    case 'joined':
      return Math.min(
        latest,
        Math.max(
          requestedAt,
          // One member that told is not enough, for it may be as new as we are; of other sites one is.
          view.dialing > 0 ? view.at + CHANNEL_WAIT_MS : 0,
          view.dialingOutside > 0 && view.inventories === 0 ? view.at + OUTSIDE_WAIT_MS : 0,
          view.awaited > 0 ? view.awaitedSince + INVENTORY_WAIT_MS : 0,
        ),
      );
    default:
      return view satisfies never;
  }
}
