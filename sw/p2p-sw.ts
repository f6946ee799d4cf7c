/** Entry of the service worker. */
import { kitWorker } from './kit-worker.ts';
import { dropOldCaches, removeAll } from './leftovers.ts';
import { routesFor, type InstallEventWithRoutes } from './routes.ts';

declare const self: ServiceWorkerGlobalScope;

const { caches, clients, location } = self;
const worker = kitWorker(self, () => void removeAll(self));

self.addEventListener('install', (event: InstallEventWithRoutes) => {
  // Where the browser does not take them the worker is started, and lets these pass at once.
  event.waitUntil(event.addRoutes?.(routesFor(location)).catch(() => undefined) ?? Promise.resolve());
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => {
  event.waitUntil(clients.claim());
  event.waitUntil(dropOldCaches(caches));
});
self.addEventListener('fetch', (event) => worker.handleFetch(event));
