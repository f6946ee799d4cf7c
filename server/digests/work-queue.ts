/** Runs a few jobs at a time; urgent ones (a request waits for them) before the others. */
export interface Job {
  readonly start: () => Promise<void>;
}

export class WorkQueue {
  readonly #concurrency: number;
  readonly #urgent = new Set<Job>();
  readonly #patient = new Set<Job>();
  #running = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** @param start must not reject */
  add(start: () => Promise<void>, urgent: boolean): Job {
    const job: Job = { start };
    (urgent ? this.#urgent : this.#patient).add(job);
    this.#next();
    return job;
  }

  /** Somebody waits for this job now. Does nothing if it runs already. */
  hurry(job: Job): void {
    if (this.#patient.delete(job)) this.#urgent.add(job);
  }

  #next(): void {
    while (this.#running < this.#concurrency) {
      const queue = this.#urgent.size > 0 ? this.#urgent : this.#patient;
      const [job] = queue;
      if (job === undefined) return;
      queue.delete(job);
      this.#running++;
      void job.start().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
