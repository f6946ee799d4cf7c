import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between two looks at the clock, at least: thousands need no timer each. */
const TICK_MS = 10;

/**
 * Does something with each of many, in random order and spread evenly over a time, so that what follows from it does not come all at once. The
 * first comes at once.
 * @param signal ends it early: the rest is left alone
 * @param random uniform in [0, 1)
 */
export async function spreadOver<T>(
  items: Iterable<T>,
  milliseconds: number,
  act: (item: T) => void,
  signal: AbortSignal,
  random: () => number = Math.random,
): Promise<void> {
  const shuffled = Array.from(items, (item) => ({ item, place: random() })).sort((a, b) => a.place - b.place);
  const startedAt = performance.now();
  for (const [index, { item }] of shuffled.entries()) {
    const wait = startedAt + (milliseconds * index) / shuffled.length - performance.now();
    if (wait > 0) await delay(Math.max(wait, TICK_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    act(item);
  }
}
