/** Stops a page's service worker, as its browser may at any moment. */
import type { Person } from './person.ts';
import { until } from '../../harness/until.ts';

export interface WorkerStopper {
  /** Is it running, or about to? */
  readonly isRunning: () => boolean;
  /** Resolves when it is stopped; a request may have started it again by then. */
  readonly stop: () => Promise<void>;
}

export async function workerStopper({ chromium, page }: Person): Promise<WorkerStopper> {
  const session = await chromium.context.newCDPSession(page);
  const states = new Map<string, string>();
  let stops = 0;
  let active = '';
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { versionId, runningStatus, status } of versions) {
      if (runningStatus === 'stopped' && states.get(versionId) !== 'stopped') stops++;
      states.set(versionId, runningStatus);
      if (status === 'activated') active = versionId;
    }
  });
  await session.send('ServiceWorker.enable');
  return {
    isRunning: () => states.get(active) === 'running' || states.get(active) === 'starting',
    stop: async () => {
      const before = stops;
      await session.send('ServiceWorker.stopWorker', { versionId: active });
      await until('a stopped worker', () => stops > before, { interval: 5 });
    },
  };
}
