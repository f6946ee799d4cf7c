/** Page ↔ service worker. Over the port that the page gives, the worker then speaks with the engine (`AssetQuestion`, `PortMessage`). */

export type FromServiceWorker =
  /** The worker started anew and has lost its ports. */
  | { readonly type: 'p2p-port-please' }
  /** It lets an answer of the network pass, and must not be ended: the page is to call it a little later. */
  | { readonly type: 'p2p-call-please' }
  /** With a MessagePort to the engine of the tab that leads, for the tab that holds this lock. */
  | { readonly type: 'p2p-engine'; readonly lock: string; readonly epoch: number };

export type ToServiceWorker =
  /** With a MessagePort to the page's engine in `event.ports`. `unverified`: images, films and sound may be asked for that are not listed. Default: false. */
  | { readonly type: 'p2p-port'; readonly unverified?: boolean }
  /** With a MessagePort, over which the page is told its client id. */
  | { readonly type: 'p2p-who' }
  /** With a MessagePort, which goes on to that client as `p2p-engine`. */
  | { readonly type: 'p2p-pass'; readonly client: string; readonly lock: string; readonly epoch: number }
  /** It is giving an answer piece by piece, and must not be ended. */
  | { readonly type: 'p2p-awake' }
  /** As it asked. */
  | { readonly type: 'p2p-call' };

/** Path, on the page's own origin, that the engine's requests carry as their referrer, so that the service worker lets them pass. */
export const ENGINE_REFERRER = '/p2p-engine';

/** What marks them for other origins: pages hardly ever ask so, and the origin gets what it gets from a page that says nothing. */
export const ENGINE_ELSEWHERE = { credentials: 'omit', referrerPolicy: 'strict-origin' } as const;

/** What marks a request of the engine, whatever the page's referrer policy. */
export const markedFor = (
  url: string,
  referrer: string,
): { referrer?: string; referrerPolicy: 'same-origin' | 'strict-origin'; credentials?: 'omit' } =>
  url.startsWith(referrer.slice(0, -ENGINE_REFERRER.length + 1))
    ? { referrer, referrerPolicy: 'same-origin' }
    : ENGINE_ELSEWHERE;
