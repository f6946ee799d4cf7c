/** A Web Lock that is held until it is given up, or another tab takes it by force. */
export interface HeldLock {
  /** Resolves when another tab has taken it. */
  readonly taken: Promise<void>;
}

/**
 * Waits for the lock, and holds it until the signal is aborted.
 * @returns null: it is not to be had at once, and that was asked for; or the signal was aborted
 * @throws where there are no locks: the browser keeps nothing of this site
 */
export function holdLock(
  name: string,
  options: Pick<LockOptions, 'ifAvailable' | 'steal'>,
  signal: AbortSignal,
): Promise<HeldLock | null> {
  return new Promise((resolve, reject) => {
    let isHeld = false;
    const held = (lock: Lock | null): Promise<void> | void => {
      if (!lock || signal.aborted) return resolve(null);
      isHeld = true;
      resolve({ taken });
      return new Promise((release) => signal.addEventListener('abort', () => release()));
    };
    // Who can be given it only at once can't be called off.
    const waits = options.ifAvailable !== true && options.steal !== true;
    const ended = navigator.locks.request(name, waits ? { signal } : options, held);
    const taken = new Promise<void>((resolveTaken) => {
      ended.catch((error: unknown) => {
        if (signal.aborted) resolve(null);
        else if (isHeld) resolveTaken();
        else reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  });
}
