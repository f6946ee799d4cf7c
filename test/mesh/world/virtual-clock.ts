import type { Clock } from '../../../mesh/core/ports.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  /** Null once it is taken back. */
  run: (() => void) | null;
}

/** Macrotasks queued at a time: Node runs all microtasks between two of them, and a queue of many costs an eighth of one at a time. */
const BATCH = 256;

/**
 * A clock that jumps from event to event. Between two events all promises are run to their end, so that a run depends on nothing but its
 * input: there are only microtasks in a virtual world.
 */
export class VirtualClock implements Clock {
  /** A binary heap by time, then by the order in which they were asked for. */
  readonly #events: Event[] = [];
  #now = 0;
  #last = 0;
  #ran = 0;

  now(): number {
    return this.#now;
  }

  /** Events so far. */
  get ran(): number {
    return this.#ran;
  }

  after(milliseconds: number, run: () => void): () => void {
    if (Number.isNaN(milliseconds)) throw new Error('NaN is no time');
    const event: Event = { at: this.#now + Math.max(0, milliseconds), order: ++this.#last, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /** Lets so much time pass. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await this.#run(end, () => false);
    this.#now = end;
  }

  /** All stand still for so long, as when a machine sleeps or is starved: what fell due meanwhile comes late. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Lets time pass until the condition holds; fails after `most` ms of virtual time. */
  async until(condition: () => boolean, most = 60_000): Promise<void> {
    if (!(await this.#run(this.#now + most, condition)))
      throw new Error(`It did not come true within ${most} ms: ${condition.toString()}`);
  }

  /** Runs events until `end`, or until the condition holds, which is asked before each of them; returns whether it holds. */
  #run(end: number, condition: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let over = false;
      const finish = (settle: () => void): void => {
        over = true;
        settle();
      };
      const step = (): void => {
        if (over) return;
        try {
          if (condition()) return finish(() => resolve(true));
          if (!this.#next(end)) return finish(() => resolve(false));
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const fill = (): void => {
        if (over) return;
        for (let i = 0; i < BATCH; i++) setImmediate(step);
        setImmediate(fill);
      };
      // A short run, as most are in tests, does not pay for a whole batch.
      setImmediate(step);
      setImmediate(step);
      setImmediate(fill);
    });
  }

  /** Runs the next event before `end`; false where there is none. */
  #next(end: number): boolean {
    for (let event = this.#events[0]; event && event.at <= end; event = this.#events[0]) {
      this.#pop();
      if (!event.run) continue;
      this.#now = Math.max(this.#now, event.at);
      this.#ran++;
      event.run();
      return true;
    }
    return false;
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop()!;
    const { length } = events;
    if (length === 0) return;
    let index = 0;
    for (let child = 1; child < length; child = 2 * index + 1) {
      if (child + 1 < length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (!isBefore(events[child]!, last)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
