/** Starts the engine where it runs best, in a dedicated worker, else on the main thread, and carries messages there. */
import { P2PError } from '../../protocol/error.ts';
import type { FromEngine } from '../../protocol/page.ts';
import type { PostToEngine } from './peer-connections.ts';

/** A worker that has not answered by then is given up, ms: its script is blocked, or the device is too busy to gain from it. */
const WORKER_START_MS = 5000;

export type Receive = (message: FromEngine) => void;

export interface StartedEngine {
  readonly post: PostToEngine;
  readonly end: () => void;
}

/** Resolves with the way to the engine, once it is ready. @throws P2PError `engine-failed` where it can run nowhere */
export async function startEngine(receive: Receive): Promise<StartedEngine> {
  try {
    return (await startWorker(receive)) ?? (await startHere(receive));
  } catch (error) {
    throw new P2PError(
      'engine-failed',
      `The engine can't be loaded (${String(error)}): everything comes from the origin. Are all its files served beside each other?`,
      { error },
    );
  }
}

/** Null where there are no module workers, where the script may not be loaded (another origin, CSP), or where data channels can't be transferred to it. */
function startWorker(receive: Receive): Promise<StartedEngine | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(new URL('../engine/worker.ts', import.meta.url), { type: 'module', name: 'p2p-elements' });
    } catch {
      resolve(null);
      return;
    }
    const giveUp = (): void => {
      clearTimeout(timer);
      worker.terminate();
      resolve(null);
    };
    const timer = setTimeout(giveUp, WORKER_START_MS);
    worker.onerror = giveUp;
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
      if (data.type !== 'ready') receive(data);
      else if (!data.takesChannels) giveUp();
      else {
        clearTimeout(timer);
        worker.onerror = null;
        resolve({
          post: (message, transfer = []) => worker.postMessage(message, transfer),
          end: () => worker.terminate(),
        });
      }
    };
  });
}

async function startHere(receive: Receive): Promise<StartedEngine> {
  const { runEngine } = await import('../engine/run-engine.ts');
  const post = runEngine(receive, true);
  return { post, end: () => post({ type: 'end' }) };
}
