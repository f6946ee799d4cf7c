/** The kit's part of a service worker, whoever's it is. */
import { ENGINE_REFERRER, type ToServiceWorker } from '../protocol/worker.ts';
import { Documents } from './documents.ts';
import { Door } from './door.ts';
import { EnginePorts } from './engine-ports.ts';
import { passPort } from './pass-port.ts';
import { Passing } from './passing.ts';
import { ShareableList } from './shareable-list.ts';
import { stored } from './stored.ts';

export interface KitWorker {
  /** Answers a request if it is one of the kit's. @returns whether it did; otherwise the browser does what it would have done */
  handleFetch(event: FetchEvent): boolean;
}

/**
 * Listens to the pages' messages from now on, so it must be called while the worker's script runs.
 * @param unused no page has the kit any more
 */
export function kitWorker(scope: ServiceWorkerGlobalScope, unused: () => void): KitWorker {
  const { caches, clients, location } = scope;
  const list = new ShareableList(caches);
  const ports: EnginePorts = new EnginePorts(
    clients,
    list,
    (url) => void door.keepPage(url),
    () => {
      if (list.isUnused) unused();
    },
  );
  const passing = new Passing((id) => clients.get(id));
  const door = new Door({
    webOrigin: location.origin,
    engineReferrer: new URL(ENGINE_REFERRER, location.origin).href,
    list,
    ports,
    documents: new Documents(caches, async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))),
    stored: (file, range) => stored(caches, file, range),
    fetch: (request) => scope.fetch(request),
    passing,
  });
  scope.addEventListener('message', (event) => {
    const message = event.data as ToServiceWorker | null | undefined;
    const [port] = event.ports;
    if (!message || !(event.source instanceof Client)) return;
    if (message.type === 'p2p-port' || message.type === 'p2p-call') passing.called(event.source);
    if (!port) return;
    if (message.type === 'p2p-port') ports.connect(event.source, port, message.unverified);
    if (message.type === 'p2p-who') port.postMessage(event.source.id);
    if (message.type === 'p2p-pass') event.waitUntil(passPort(clients, message, port));
  });
  return {
    handleFetch: (event) => {
      const answer = door.answer(event.request, event.clientId);
      if (answer) event.respondWith(answer);
      return answer !== null;
    },
  };
}
