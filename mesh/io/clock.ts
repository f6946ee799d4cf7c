import type { Clock } from '../core/ports.ts';

/** The real clock: monotonic, unaffected by changes of the device's time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Uniform in [0, 1), from the cryptographic source, which works without a secure context too. */
export function systemRandom(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word / 2 ** 32;
}
