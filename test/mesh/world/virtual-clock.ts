import type { Clock } from '../../../mesh/core/ports.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * A clock that jumps from event to event. Between two events all promises are run to their end, so that a run depends on nothing but its
 * input: there are only microtasks in a virtual world.
 */
export class VirtualClock implements Clock {
  /** Sorted by time, then by the order in which they were asked for. */
  readonly #events: Event[] = [];
  #now = 0;
  #last = 0;

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void): () => void {
    if (Number.isNaN(milliseconds)) throw new Error('NaN is no time');
    const event: Event = { at: this.#now + Math.max(0, milliseconds), order: ++this.#last, run, cancelled: false };
    this.#events.splice(this.#placeOf(event), 0, event);
    return () => {
      event.cancelled = true;
    };
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /** Lets so much time pass. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    while (await this.#step(end));
    this.#now = end;
  }

  /** Lets time pass until the condition holds; fails after `most` ms of virtual time. */
  async until(condition: () => boolean, most = 60_000): Promise<void> {
    const end = this.#now + most;
    await settled();
    while (!condition()) {
      if (!(await this.#step(end))) throw new Error(`It did not come true within ${most} ms: ${condition.toString()}`);
    }
  }

  /** Runs the next event before `end`; false where there is none. */
  async #step(end: number): Promise<boolean> {
    await settled();
    let event = this.#events.shift();
    while (event?.cancelled) event = this.#events.shift();
    if (event && event.at > end) this.#events.unshift(event);
    if (!event || event.at > end) return false;
    this.#now = event.at;
    event.run();
    await settled();
    return true;
  }

  #placeOf(event: Event): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.at <= event.at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Node runs all microtasks before the next macrotask. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
