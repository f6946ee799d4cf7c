/** Requests that the browser is not to start the service worker for: what never can be shared, whatever a manifest says (Service Worker Static Routing API). */

/** As much of the API as is used; TypeScript's own types do not have it yet. */
export interface Route {
  readonly condition: RouteCondition;
  readonly source: 'network';
}

export type RouteCondition =
  | { readonly requestMethod: string }
  | { readonly requestMode: string }
  | { readonly urlPattern: URLPatternInit }
  | { readonly not: RouteCondition }
  | { readonly or: readonly RouteCondition[] };

/** An install event of a browser that has it. */
export interface InstallEventWithRoutes extends ExtendableEvent {
  addRoutes?(routes: readonly Route[]): Promise<void>;
}

/** @param location the worker's own */
export const routesFor = ({ protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>): Route[] => [
  network({ not: { or: [{ requestMethod: 'GET' }, { requestMethod: 'HEAD' }] } }),
  // Of other web origins only what is read by CORS can be listed.
  network({
    not: { or: [{ urlPattern: { protocol: protocol.slice(0, -1), hostname, port } }, { requestMode: 'cors' }] },
  }),
  // Signaling, block hashes and all else that the kit itself asks our server for.
  network({ urlPattern: { pathname: '/p2p/*' } }),
];

const network = (condition: RouteCondition): Route => ({ condition, source: 'network' });
