/** Registers the service worker and gives it ports to the engine. Owned by the Mesh. */
import { P2PError } from '../../protocol/error.ts';
import { AWAKE_EVERY_MS } from '../../protocol/limits.ts';
import type { FromServiceWorker, ToServiceWorker } from '../../protocol/worker.ts';

/** Its start costs as much as the engine's, and nothing on a first visit waits for it: what the page shows first goes first. So long for the page to ask for that, and as long again, once it is there, to show it, ms. */
const REGISTER_AFTER_MS = 1000;

/** A page that never stops loading has one after this time, ms. */
const REGISTER_LATEST_MS = 15_000;

export interface ServiceWorkerLinkOptions {
  /** URL of the worker's script; its scope is the folder above it. */
  readonly script: string;
  /** May it ask for images, films and sound that have no digest? */
  readonly unverified: boolean;
  /** Hands one end of a message channel to the engine. */
  readonly givePort: (port: MessagePort) => void;
  /** Tells what the page loaded before there was a service worker. */
  readonly seen: (urls: readonly string[]) => void;
  /** Calls once the page loads nothing, now or later. */
  readonly whenQuiet: (then: () => void) => void;
  readonly warn: (error: P2PError) => void;
  readonly signal: AbortSignal;
}

/** Films are no part of a page's shell, and may be long. */
const loadedUrls = (): string[] =>
  (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
    .filter(({ initiatorType }) => initiatorType !== 'video' && initiatorType !== 'audio')
    .map(({ name }) => name);

/** For as long again as it runs after an event the service worker is not ended. */
export function stayAwake(): void {
  navigator.serviceWorker.controller?.postMessage({ type: 'p2p-awake' } satisfies ToServiceWorker);
}

const call = (worker: ServiceWorker): void => worker.postMessage({ type: 'p2p-call' } satisfies ToServiceWorker);

/** A site that has its own worker may have registered it otherwise than we would: as a module, for another scope. */
async function registerUnlessThere(container: ServiceWorkerContainer, script: string): Promise<void> {
  const { active, waiting, installing } = (await container.getRegistration()) ?? {};
  if ([active, waiting, installing].some((worker) => worker?.scriptURL === script)) return;
  await container.register(script);
}

const ELEMENTS_ONLY = 'the elements share, plain <img> and fetch() do not.';

/** @returns gives the worker another port, to the engine that there is now */
export function linkServiceWorker({
  script,
  unverified,
  givePort,
  seen,
  whenQuiet,
  warn,
  signal,
}: ServiceWorkerLinkOptions): () => void {
  // Typed as always there, but missing on plain HTTP.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    warn(new P2PError('insecure-context', `No service worker here: ${ELEMENTS_ONLY} Serve the page over HTTPS.`));
    return () => undefined;
  }
  const connect = (worker: ServiceWorker | null): void => {
    if (!worker) return;
    const { port1, port2 } = new MessageChannel();
    givePort(port1);
    worker.postMessage({ type: 'p2p-port', unverified } satisfies ToServiceWorker, [port2]);
  };
  container.addEventListener('controllerchange', () => connect(container.controller), { signal });
  container.addEventListener(
    'message',
    ({ data, source }: MessageEvent<FromServiceWorker | undefined>) => {
      if (!(source instanceof ServiceWorker)) return;
      if (data?.type === 'p2p-port-please') connect(source);
      if (data?.type === 'p2p-call-please') setTimeout(() => call(source), AWAKE_EVERY_MS);
    },
    { signal },
  );
  container.startMessages();
  connect(container.controller);
  let isRegistered = false;
  const register = (): void => {
    if (isRegistered || signal.aborted) return;
    isRegistered = true;
    if (!container.controller) seen(loadedUrls());
    const isOurs = script.endsWith('/p2p-sw.js');
    (isOurs ? container.register(script) : registerUnlessThere(container, script)).catch((error: unknown) => {
      warn(
        new P2PError(
          'worker-unavailable',
          `The service worker ${script} can't be registered (${String(error)}): ${ELEMENTS_ONLY} Serve p2p-sw.js there, or say <p2p-mesh worker="URL"> or "none".`,
          { script },
        ),
      );
    });
  };
  setTimeout(register, REGISTER_LATEST_MS);
  setTimeout(() => whenQuiet(() => setTimeout(register, REGISTER_AFTER_MS)), REGISTER_AFTER_MS);
  return () => connect(container.controller);
}
