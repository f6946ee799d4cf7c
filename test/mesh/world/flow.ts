import type { Gate, Lane, Parcel, Pipe } from './pipe.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Where a flow goes through. */
export interface Route {
  /** The sender's end first. */
  readonly pipes: readonly Pipe[];
  /** The receiver's end, where it is no pipe. */
  readonly gate: Gate | null;
  /** One way, ms. */
  readonly latency: number;
  /** Bytes under way at most, as a transport's window. */
  readonly window: number;
  /** Carries bodies only: where bytes are scaled down, a piece of one is no small message. */
  readonly isBulk?: boolean;
}

export interface FlowListener<T> {
  /** The sender has it behind itself. */
  left(content: T, bytes: number): void;
  arrived(content: T): void;
}

/** What fits into one packet goes between the packets of other flows. */
const PACKET_BYTES = 1200;

/** An ordered, reliable stream of parcels in one direction. */
export class Flow<T> {
  readonly #clock: VirtualClock;
  readonly #route: Route;
  readonly #listener: FlowListener<T>;
  readonly #lanes: readonly Lane<T>[];
  /** Not admitted yet. */
  readonly #waiting: Parcel<T>[] = [];
  /** Bytes that were admitted and have not arrived. */
  #underWay = 0;
  /** That have not arrived, but for those that slip through. */
  #parcels = 0;
  #lastArrival = 0;

  constructor(clock: VirtualClock, route: Route, listener: FlowListener<T>) {
    this.#clock = clock;
    this.#route = route;
    this.#listener = listener;
    this.#lanes = route.pipes.map((pipe, index) => pipe.lane<T>((parcels) => this.#passed(index, parcels)));
  }

  /** @param isBody a piece of a body, which is no small message even where bytes are scaled down */
  send(content: T, bytes: number, isBody = this.#route.isBulk === true): void {
    if (bytes <= PACKET_BYTES && this.#parcels === 0 && !isBody) return this.#slipThrough(content, bytes);
    this.#waiting.push({ content, bytes });
    this.#parcels++;
    this.#admit();
  }

  /** What is not on the wire yet never goes. */
  hangUp(): void {
    const queued = this.#lanes[0]?.queue.splice(0) ?? [];
    this.#parcels -= this.#waiting.splice(0).length + queued.length;
    for (const { bytes } of queued) this.#underWay -= bytes;
  }

  /** Alone on its way: one event does. */
  #slipThrough(content: T, bytes: number): void {
    let time = this.#route.latency;
    for (const pipe of this.#route.pipes) {
      pipe.slipThrough(bytes);
      time += bytes / pipe.bytesPerMillisecond;
    }
    this.#listener.left(content, bytes);
    this.#arriveAt(this.#clock.now() + time, () => this.#listener.arrived(content));
  }

  #admit(): void {
    const [pipe] = this.#route.pipes;
    const [lane] = this.#lanes;
    if (!pipe || !lane) return;
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting as [Parcel<T>];
      if (this.#underWay > 0 && this.#underWay + next.bytes > this.#route.window) return;
      this.#waiting.shift();
      this.#underWay += next.bytes;
      pipe.pass(lane, next);
    }
  }

  #passed(index: number, parcels: Parcel<T>[]): void {
    if (index === 0) for (const { content, bytes } of parcels) this.#listener.left(content, bytes);
    const next = this.#route.pipes[index + 1];
    const now = this.#clock.now();
    const there = index === 0 ? now + this.#route.latency : now;
    if (!next) return this.#arriveAt(this.#throughGate(parcels, there), () => this.#arrived(parcels));
    const lane = this.#lanes[index + 1] as Lane<T>;
    this.#clock.after(there - now, () => {
      for (const parcel of parcels) next.pass(lane, parcel);
    });
  }

  #throughGate(parcels: readonly Parcel<T>[], at: number): number {
    const { gate } = this.#route;
    return gate
      ? gate.through(
          parcels.reduce((sum, { bytes }) => sum + bytes, 0),
          at,
        )
      : at;
  }

  #arrived(parcels: readonly Parcel<T>[]): void {
    this.#parcels -= parcels.length;
    for (const { bytes } of parcels) this.#underWay -= bytes;
    this.#admit();
    for (const { content } of parcels) this.#listener.arrived(content);
  }

  /** In order: nothing overtakes. */
  #arriveAt(at: number, arrived: () => void): void {
    this.#lastArrival = Math.max(at, this.#lastArrival);
    this.#clock.after(this.#lastArrival - this.#clock.now(), arrived);
  }
}
