/** What the three servers of the benchmark share: they tell their port to the generator, and what they use when it asks. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Question = 'usage' | 'memory' | 'stop';

/** What this process has used so far. */
export interface Usage {
  /** User and system time, microseconds. */
  readonly cpu: number;
  /** Open TCP connections. */
  readonly connections: number;
}

/** After a full garbage collection, bytes. */
export interface Memory {
  readonly rss: number;
  /** What lives on the heap and in buffers beside it. */
  readonly live: number;
}

/** Answers the generator over the channel of child_process. Call it when the server listens. */
export function answerGenerator(server: Server): void {
  process.on('message', (question: Question) => void answer(server, question));
  process.on('disconnect', () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

async function answer(server: Server, question: Question): Promise<void> {
  if (question === 'stop') process.exit();
  if (question === 'usage') {
    const { user, system } = process.cpuUsage();
    const connections = await new Promise<number>((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    });
    process.send?.({ cpu: user + system, connections } satisfies Usage);
    return;
  }
  // what finalizers let go of goes with the next collection; what V8 gives back to the system, it gives in its own time
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, live: heapUsed + external } satisfies Memory);
}
