import type { Clock } from '../core/ports.ts';

/** Wakes those who wait for something in the mesh to change. */
export class Changes {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next change, or after so many milliseconds. */
  next(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#clock.after(milliseconds, wake);
      this.#waiting.add(wake);
    });
  }

  notify(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
