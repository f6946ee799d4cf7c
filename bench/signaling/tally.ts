/** Which signals were sent, which came, when, and how often. Numbers are given in turn from 0 on. */
export class Tally {
  readonly #sentAt: number[] = [];
  readonly #times: number[] = [];
  #came = 0;
  #double = 0;
  #unknown = 0;
  readonly #now: () => number;

  /** @param now milliseconds, of any origin */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns the number of the next signal */
  sent(): number {
    return this.#sentAt.push(this.#now()) - 1;
  }

  came(number: number): void {
    const sentAt = this.#sentAt[number];
    if (sentAt === undefined) this.#unknown++;
    else if (Number.isNaN(sentAt)) this.#double++;
    else {
      this.#sentAt[number] = NaN;
      this.#times.push(this.#now() - sentAt);
      this.#came++;
    }
  }

  get count(): number {
    return this.#sentAt.length;
  }

  get arrived(): number {
    return this.#came;
  }

  /** Sent, and not there so far. */
  get missing(): number {
    return this.count - this.#came;
  }

  /** Came again, or were never sent. */
  get surplus(): number {
    return this.#double + this.#unknown;
  }

  /** Milliseconds on the way of each that came. */
  get times(): readonly number[] {
    return this.#times;
  }
}
