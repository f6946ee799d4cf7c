/** Things that have a fixed time to do something: one queue for all of them, in the order of their deadlines, instead of a timer each. */
export class Deadlines<T> {
  readonly #milliseconds: number;
  readonly #since = new Map<T, number>();

  /** @param milliseconds that each has */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  get size(): number {
    return this.#since.size;
  }

  /** Its time begins now. What is in the queue keeps its time. */
  add(item: T, now: number): void {
    if (!this.#since.has(item)) this.#since.set(item, now);
  }

  /** It has done it. */
  delete(item: T): void {
    this.#since.delete(item);
  }

  /** Takes out those whose time is over. */
  takeOverdue(now: number): T[] {
    const overdue: T[] = [];
    for (const [item, since] of this.#since) {
      if (now - since < this.#milliseconds) break;
      overdue.push(item);
      this.#since.delete(item);
    }
    return overdue;
  }
}
