/** Entry of the service worker. */
import { ENGINE_REFERRER, type ToServiceWorker } from '../protocol/worker.ts';
import { Documents } from './documents.ts';
import { Door } from './door.ts';
import { EnginePorts } from './engine-ports.ts';
import { routesFor, type InstallEventWithRoutes } from './routes.ts';
import { passPort } from './pass-port.ts';
import { ShareableList } from './shareable-list.ts';
import { stored } from './stored.ts';

declare const self: ServiceWorkerGlobalScope;

const { caches, clients, location } = self;
const list = new ShareableList(caches);
const ports: EnginePorts = new EnginePorts(clients, list, (url) => void door.keepPage(url));
const door = new Door({
  webOrigin: location.origin,
  engineReferrer: new URL(ENGINE_REFERRER, location.origin).href,
  list,
  ports,
  documents: new Documents(caches, async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))),
  stored: (file, range) => stored(caches, file, range),
  fetch: (request) => fetch(request),
});

self.addEventListener('install', (event: InstallEventWithRoutes) => {
  // Where the browser does not take them the worker is started, and lets these pass at once.
  event.waitUntil(event.addRoutes?.(routesFor(location)).catch(() => undefined) ?? Promise.resolve());
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));

self.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker | undefined;
  const [port] = event.ports;
  if (!message || !port || !(event.source instanceof Client)) return;
  if (message.type === 'p2p-port') ports.connect(event.source, port);
  if (message.type === 'p2p-who') port.postMessage(event.source.id);
  if (message.type === 'p2p-pass') event.waitUntil(passPort(clients, message, port));
});

self.addEventListener('fetch', (event) => {
  const answer = door.answer(event.request, event.clientId);
  if (answer) event.respondWith(answer);
});
