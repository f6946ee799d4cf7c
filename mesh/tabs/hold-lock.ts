/** A Web Lock that is held until it is given up, or another tab takes it by force. */
export interface HeldLock {
  /** Resolves when another tab has taken it. */
  readonly taken: Promise<void>;
}

/**
 * Waits for the lock, and holds it until the signal is aborted.
 * @returns null: it is not to be had at once, and that was asked for; or the signal was aborted
 */
export function holdLock(
  name: string,
  options: Pick<LockOptions, 'ifAvailable' | 'steal'>,
  signal: AbortSignal,
): Promise<HeldLock | null> {
  return new Promise((resolve) => {
    const held = (lock: Lock | null): Promise<void> | void => {
      if (!lock || signal.aborted) return resolve(null);
      resolve({ taken });
      return new Promise((release) => signal.addEventListener('abort', () => release()));
    };
    // Who can be given it only at once can't be called off.
    const waits = options.ifAvailable !== true && options.steal !== true;
    const ended = navigator.locks.request(name, waits ? { signal } : options, held);
    const taken = new Promise<void>((resolveTaken) => {
      ended.catch(() => {
        resolve(null);
        if (!signal.aborted) resolveTaken();
      });
    });
  });
}
