/** Entry of the service worker: asks the page's engine for what its manifest lists; everything else goes its way untouched. */
import { ENGINE_REFERRER, type ToServiceWorker } from '../protocol/worker.ts';
import type { Loaded } from './engine-port.ts';
import { EnginePorts } from './engine-ports.ts';
import { factsOf, mayAsk } from './may-ask.ts';
import { ShareableList } from './shareable-list.ts';

declare const self: ServiceWorkerGlobalScope;

const list = new ShareableList(self.caches);
const ports = new EnginePorts(self.clients, list);
const engineReferrer = new URL(ENGINE_REFERRER, self.location.origin).href;

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker | undefined;
  const [port] = event.ports;
  if (message?.type === 'p2p-port' && port && event.source instanceof Client) ports.connect(event.source, port);
});

self.addEventListener('fetch', (event) => {
  const { request, clientId } = event;
  if (clientId === '' || !mayAsk(factsOf(request), self.location.origin, engineReferrer)) return;
  const listed = list.has(request.url);
  if (listed !== false) event.respondWith(answer(request, clientId));
});

async function answer(request: Request, clientId: string): Promise<Response> {
  const began = performance.now();
  await list.loaded;
  if (list.has(request.url) !== true) return fetch(request);
  const port = await ports.find(clientId);
  const loaded = await port?.ask(request.url, performance.now() - began, request.signal);
  return loaded ? responseOf(loaded) : fetch(request);
}

const responseOf = ({ body, contentType }: Loaded): Response =>
  new Response(body, { headers: { 'content-type': contentType, 'content-length': String(body.byteLength) } });
