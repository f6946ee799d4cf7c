import type { FromServiceWorker, ToServiceWorker } from '../protocol/worker.ts';

/** Tabs can't give each other ports, so the one that leads has it done here. A tab that is gone needs none. */
export async function passPort(
  clients: Clients,
  { client, lock, epoch }: Extract<ToServiceWorker, { type: 'p2p-pass' }>,
  port: MessagePort,
): Promise<void> {
  const tab = await clients.get(client);
  tab?.postMessage({ type: 'p2p-engine', lock, epoch } satisfies FromServiceWorker, [port]);
}
