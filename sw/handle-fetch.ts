/**
 * For a site that has a service worker of its own: imported there, it lets that worker do what the kit's own would.
 *
 * ```js
 * import { handleFetch } from 'p2p-elements/sw';
 * addEventListener('fetch', (event) => {
 *   if (handleFetch(event)) return;
 *   // what the site's worker does with all other requests
 * });
 * ```
 *
 * The page names the worker: `<p2p-mesh worker="/sw.js">`. One that the site has registered is used as it is.
 */
import { kitWorker } from './kit-worker.ts';

declare const self: ServiceWorkerGlobalScope;

const worker = kitWorker(self, () => undefined);

/** Answers a request if it is one of the kit's: call it at once in each `fetch` event. @returns whether it did */
export const handleFetch = (event: FetchEvent): boolean => worker.handleFetch(event);
