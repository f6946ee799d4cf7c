/** Whatever ends what it started: a test, or a benchmark. */
export interface Owner {
  after(end: () => unknown): void;
}
