/** Runs a few jobs at a time, in turn for those who wait: a film of thousands of segments does not keep another from its first one. */
export class FairQueue<Owner extends object> {
  readonly #concurrency: number;
  readonly #capacity: number;
  /** Those with waiting jobs; whose turn it is next stands first. */
  readonly #waiting = new Map<Owner, (() => Promise<void>)[]>();
  #size = 0;
  #running = 0;

  /** @param capacity jobs that may wait in all */
  constructor(concurrency: number, capacity: number) {
    this.#concurrency = concurrency;
    this.#capacity = capacity;
  }

  /** Jobs that wait. */
  get size(): number {
    return this.#size;
  }

  /** @param start must not reject @returns false: there is no place */
  add(owner: Owner, start: () => Promise<void>): boolean {
    if (this.#size >= this.#capacity) return false;
    const jobs = this.#waiting.get(owner) ?? [];
    jobs.push(start);
    this.#waiting.set(owner, jobs);
    this.#size++;
    this.#next();
    return true;
  }

  #next(): void {
    while (this.#running < this.#concurrency) {
      const [turn] = this.#waiting;
      if (turn === undefined) return;
      const [owner, jobs] = turn;
      this.#waiting.delete(owner);
      const start = jobs.shift();
      if (jobs.length > 0) this.#waiting.set(owner, jobs);
      if (start === undefined) continue;
      this.#size--;
      this.#running++;
      void start().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
