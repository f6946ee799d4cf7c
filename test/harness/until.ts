import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** Milliseconds until it gives up. Default 10,000. */
  readonly timeout?: number;
  /** Milliseconds between two looks. Default 50. */
  readonly interval?: number;
}

/**
 * Waits until `look` gives something truthy, and gives that. What `look` throws counts as "not yet".
 * @throws after the timeout, with `what` and the last thing seen
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { timeout = 10_000, interval = 50 }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const start = performance.now();
  let last: unknown;
  do {
    try {
      const seen = await look();
      if (seen) return seen as Exclude<T, false | null | undefined | 0 | ''>;
      last = seen;
    } catch (error) {
      last = error;
    }
    await delay(interval);
  } while (performance.now() - start < timeout);
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`Waited ${(timeout / 1000).toFixed(1)} s in vain for: ${what}. Last seen: ${seen}`);
}
