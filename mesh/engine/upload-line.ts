/** Our line to other sites: one block at a time has it, in the order in which they ask. Owned by the UploadAllowance. */
import { OUTSIDE_TURN_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';

/** Leaves the line to the next. A second call does nothing. */
export type Leave = () => void;

export class UploadLine {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the line. It is had for OUTSIDE_TURN_MS at most. */
  take(): Promise<Leave> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(this.#begin()));
      this.#next();
    });
  }

  #begin(): Leave {
    this.#isTaken = true;
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      this.#isTaken = false;
      this.#next();
    };
    const cancel = this.#clock.after(OUTSIDE_TURN_MS, leave);
    return leave;
  }

  #next(): void {
    if (!this.#isTaken) this.#waiting.shift()?.();
  }
}
