import type { Logger } from '../log.ts';
import type { P2PServer } from '../create-server.ts';

/**
 * SIGTERM drains, then ends: whoever supervises servers sends it. SIGINT, Ctrl+C at a terminal, ends without. Either of them while it drains ends
 * that at once.
 * @param drainSeconds asked when the signal comes
 */
export function stopOnSignal(server: P2PServer, log: Logger, drainSeconds: () => number): void {
  const hurry = new AbortController();
  let stopping = false;
  let isUrgent = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    log.info({ signal }, stopping ? 'stopping now' : 'stopping');
    if (stopping || signal === 'SIGINT') hurry.abort();
    if (stopping) {
      isUrgent = true;
      return;
    }
    stopping = true;
    const milliseconds = 1000 * drainSeconds();
    if (milliseconds > 0 && !hurry.signal.aborted) await server.drain(milliseconds, hurry.signal);
    await server.close(isUrgent ? 0 : undefined);
    log.info({ signal }, 'stopped');
    process.exit(0); // nothing should be left to wait for; if something is, it must not keep us
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}
