/** What bytes go through on their way: lines that several flows share. */
import type { VirtualClock } from './virtual-clock.ts';

/** A piece of a flow. */
export interface Parcel<T> {
  readonly content: T;
  readonly bytes: number;
}

/** One flow's place at a pipe. */
export interface Lane<T> {
  readonly queue: Parcel<T>[];
  readonly passed: (parcels: Parcel<T>[]) => void;
  isWaiting: boolean;
}

/** A line that serves its flows in turn, as fair queueing (RFC 8290) does: each gets the same share of the rate, and none waits for another's queue. */
export class Pipe {
  readonly bytesPerMillisecond: number;
  readonly #clock: VirtualClock;
  readonly #turnBytes: number;
  /** Flows that wait for their turn. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a pipe carries is nothing to it
  readonly #waiting: Lane<any>[] = [];
  #isBusy = false;
  /** Until when its debt is settled, ms; of use only while it is idle. */
  #settledAt = 0;
  /** Bytes of small messages that went by and have yet to be paid for. */
  #debt = 0;
  #carried = 0;

  /** @param turnBytes a turn is one parcel, and those behind it that do not make it longer than this */
  constructor(clock: VirtualClock, bytesPerMillisecond: number, turnBytes = 0) {
    this.#clock = clock;
    this.bytesPerMillisecond = bytesPerMillisecond;
    this.#turnBytes = turnBytes;
  }

  /** Bytes so far. */
  get carried(): number {
    return this.#carried;
  }

  lane<T>(passed: (parcels: Parcel<T>[]) => void): Lane<T> {
    return { queue: [], passed, isWaiting: false };
  }

  pass<T>(lane: Lane<T>, parcel: Parcel<T>): void {
    lane.queue.push(parcel);
    if (!lane.isWaiting) {
      lane.isWaiting = true;
      this.#waiting.push(lane);
    }
    if (!this.#isBusy) this.#serve();
  }

  /** A packet that goes between those of others: takes its share of the rate, but waits for nobody. */
  slipThrough(bytes: number): void {
    this.#settle();
    this.#debt += bytes;
    this.#carried += bytes;
  }

  /** While it has nothing else to do, it pays. */
  #settle(): void {
    const now = this.#clock.now();
    if (!this.#isBusy) this.#debt = Math.max(0, this.#debt - (now - this.#settledAt) * this.bytesPerMillisecond);
    this.#settledAt = now;
  }

  #serve(): void {
    this.#settle();
    const lane = this.#waiting.shift();
    this.#isBusy = lane !== undefined;
    if (!lane) return;
    let bytes = 0;
    let count = 0;
    for (const parcel of lane.queue) {
      if (count > 0 && bytes + parcel.bytes > this.#turnBytes) break;
      bytes += parcel.bytes;
      count++;
    }
    const parcels = lane.queue.splice(0, count);
    if (lane.queue.length > 0) this.#waiting.push(lane);
    else lane.isWaiting = false;
    const time = (bytes + this.#debt) / this.bytesPerMillisecond;
    this.#debt = 0;
    this.#carried += bytes;
    this.#clock.after(time, () => {
      if (count > 0) lane.passed(parcels);
      this.#serve();
    });
  }
}

/** The last few metres: first come, first served, and so cheap to compute. */
export class Gate {
  readonly #bytesPerMillisecond: number;
  #busyUntil = 0;

  constructor(bytesPerMillisecond: number) {
    this.#bytesPerMillisecond = bytesPerMillisecond;
  }

  /** When so many bytes, which come at `at`, are through. */
  through(bytes: number, at: number): number {
    this.#busyUntil = Math.max(at, this.#busyUntil) + bytes / this.#bytesPerMillisecond;
    return this.#busyUntil;
  }
}
