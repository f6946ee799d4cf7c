/** Entry of the service worker: asks the page's engine for what its manifest lists; everything else goes its way untouched. */
import { withoutFragment } from '../protocol/without-fragment.ts';
import { ENGINE_REFERRER, type ToServiceWorker } from '../protocol/worker.ts';
import { planAnswer } from './answer-plan.ts';
import { AssetBody } from './asset-body.ts';
import type { EnginePort } from './engine-port.ts';
import { EnginePorts } from './engine-ports.ts';
import { factsOf, holdsUpScripts, mayAsk } from './may-ask.ts';
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
  if (list.has(withoutFragment(request.url)) !== false) event.respondWith(answer(request, clientId));
});

/** From the page's engine, else from the network, as if nobody had been asked. */
async function answer(request: Request, clientId: string): Promise<Response> {
  const began = performance.now();
  return (await fromEngine(request, clientId, began)) ?? fetch(request);
}

async function fromEngine(request: Request, clientId: string, began: number): Promise<Response | null> {
  const url = withoutFragment(request.url);
  await list.loaded;
  if (list.has(url) !== true) return null;
  const findPort = (): Promise<EnginePort | null> => ports.find(clientId, !holdsUpScripts(request.destination));
  const file = await (await findPort())?.file(url);
  if (!file) return null;
  const {
    headers,
    body: range,
    status,
  } = planAnswer({ method: request.method, header: (name) => request.headers.get(name) }, file);
  if (!range) return new Response(null, { status, headers });
  const body = new AssetBody(file, range, findPort);
  return (await body.begin(performance.now() - began, request.signal))
    ? new Response(body.stream, { status, headers })
    : null;
}
