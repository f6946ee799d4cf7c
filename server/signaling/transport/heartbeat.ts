/** Owns the pings of all WebSockets: one timer for all, where engine.io has two for each. Each is asked for a sign of life once in an interval. */

import { HEARTBEAT_STEP_MS } from '../../limits.ts';

export interface Pulse {
  /** Called once in each interval: pings, or ends a connection that gave no sign of life since the last ping. */
  beat(): void;
}

export class Heartbeat {
  readonly #steps: readonly Set<Pulse>[];
  readonly #stepOf = new Map<Pulse, Set<Pulse>>();
  #now = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param interval milliseconds, a multiple of HEARTBEAT_STEP_MS */
  constructor(interval: number) {
    this.#steps = Array.from({ length: Math.max(1, Math.round(interval / HEARTBEAT_STEP_MS)) }, () => new Set());
  }

  /** Its first beat comes after one interval. */
  add(pulse: Pulse): void {
    const step = this.#steps[this.#now];
    if (step === undefined) return;
    step.add(pulse);
    this.#stepOf.set(pulse, step);
    this.#timer ??= setInterval(() => this.#step(), HEARTBEAT_STEP_MS);
  }

  delete(pulse: Pulse): void {
    this.#stepOf.get(pulse)?.delete(pulse);
    this.#stepOf.delete(pulse);
    if (this.#stepOf.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #step(): void {
    this.#now = (this.#now + 1) % this.#steps.length;
    for (const pulse of this.#steps[this.#now] ?? []) pulse.beat();
  }
}
