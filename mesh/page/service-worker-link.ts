/** Registers the service worker and gives it ports to the engine. Owned by the Mesh. */
import { P2PError } from '../../protocol/error.ts';
import type { FromServiceWorker, ToServiceWorker } from '../../protocol/worker.ts';

export interface ServiceWorkerLinkOptions {
  /** URL of the worker's script; its scope is the folder above it. */
  readonly script: string;
  /** Hands one end of a message channel to the engine. */
  readonly givePort: (port: MessagePort) => void;
  readonly warn: (error: P2PError) => void;
  readonly signal: AbortSignal;
}

export function linkServiceWorker({ script, givePort, warn, signal }: ServiceWorkerLinkOptions): void {
  // Typed as always there, but missing on plain HTTP.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    warn(
      new P2PError(
        'insecure-context',
        'There is no service worker here (the page is not on HTTPS or localhost, or the browser forbids it): the elements share, plain <img> and fetch() come from the origin. Serve the page over HTTPS.',
      ),
    );
    return;
  }
  const connect = (worker: ServiceWorker | null): void => {
    if (!worker) return;
    const { port1, port2 } = new MessageChannel();
    givePort(port1);
    worker.postMessage({ type: 'p2p-port' } satisfies ToServiceWorker, [port2]);
  };
  container.addEventListener('controllerchange', () => connect(container.controller), { signal });
  container.addEventListener(
    'message',
    ({ data, source }: MessageEvent<FromServiceWorker | undefined>) => {
      if (data?.type === 'p2p-port-please' && source instanceof ServiceWorker) connect(source);
    },
    { signal },
  );
  container.startMessages();
  connect(container.controller);
  container.register(script).catch((error: unknown) => {
    warn(
      new P2PError(
        'worker-unavailable',
        `The service worker ${script} can't be registered (${String(error)}): the elements share, plain <img> and fetch() come from the origin. Serve the kit's p2p-sw.js there, or name another place by <p2p-mesh worker="URL">; worker="none" goes without.`,
        { script },
      ),
    );
  });
}
