import { type Awaitable } from '../awaitable.ts';

/** Work that is done one after the other: at once where nothing is under way. State of one session. */
export class Turns {
  /** Of what could not be done at once, the last. */
  #last: Promise<unknown> | undefined;
  #pending = 0;

  /** How many are under way or wait. */
  get pending(): number {
    return this.#pending;
  }

  /** Resolves when all that was begun is done. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** @returns what the work returns; throws or rejects as it does */
  take<T>(work: () => Awaitable<T>): Awaitable<T> {
    const result = this.#last === undefined ? work() : this.#last.then(work);
    if (!(result instanceof Promise)) return result;
    this.#pending++;
    const last = result
      // whoever took the turn hears of it; the next goes on
      .catch(() => undefined)
      .then(() => {
        this.#pending--;
        if (this.#last === last) this.#last = undefined;
      });
    this.#last = last;
    return result;
  }
}
