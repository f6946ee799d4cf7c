/** Which block of an asset is where: missing, asked of somebody, or checked. One for each asset under way. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** One of these blocks, whichever who is asked would rather give. */
export interface Choice {
  readonly oneOf: readonly number[];
}

/** What is asked for together. */
export type Asked = Run | Choice;

export const blocksOf = (asked: Asked): readonly number[] =>
  'oneOf' in asked ? asked.oneOf : Array.from({ length: asked.count }, (_, i) => asked.first + i);

type BlockState = 'missing' | 'asked' | 'checked';

export class BlockTable {
  readonly #states: BlockState[];
  #checked = 0;
  /** Where runs are looked for first: who reads the asset from there on waits for that. */
  first = 0;

  constructor(count: number) {
    this.#states = Array.from({ length: count }, () => 'missing');
  }

  get count(): number {
    return this.#states.length;
  }

  get checked(): number {
    return this.#checked;
  }

  get complete(): boolean {
    return this.#checked === this.#states.length;
  }

  /** Is this block checked? */
  has(index: number): boolean {
    return this.#states[index] === 'checked';
  }

  /** Blocks that are here, and those that are neither here nor asked for. */
  get here(): readonly number[] {
    return this.#all('checked');
  }

  get missing(): readonly number[] {
    return this.#all('missing');
  }

  /** The next run of blocks that are not checked, asked or not, from `first` on and then from the start; null where all are. */
  get unchecked(): Run | null {
    const from = this.complete ? -1 : this.checkedUntil(this.first);
    if (from < 0) return null;
    const first = from < this.count ? from : this.checkedUntil(0);
    const after = this.#states.indexOf('checked', first);
    return { first, count: (after < 0 ? this.count : after) - first };
  }

  /** The first block from this one on that is not checked; `count`: all of them are. */
  checkedUntil(index: number): number {
    const end = this.#states.findIndex((state, block) => block >= index && state !== 'checked');
    return end < 0 ? this.count : end;
  }

  /** Takes the next run of missing blocks, at most `most` long, as asked; null where nothing is missing. */
  take(most: number): Run | null {
    const run = this.#firstMissing(most);
    if (run) for (let i = 0; i < run.count; i++) this.#states[run.first + i] = 'asked';
    return run;
  }

  /** Takes these, which are missing, as asked. */
  choose(blocks: readonly number[]): Choice {
    for (const block of blocks) this.#states[block] = 'asked';
    return { oneOf: blocks };
  }

  /** What of it did not come is missing again. */
  release(asked: Asked): void {
    for (const block of blocksOf(asked)) if (this.#states[block] === 'asked') this.#states[block] = 'missing';
  }

  /** Marks a block as checked; false if it was already or does not exist. */
  check(index: number): boolean {
    const state = this.#states[index];
    if (state === undefined || state === 'checked') return false;
    this.#states[index] = 'checked';
    this.#checked++;
    return true;
  }

  #all(wanted: BlockState): readonly number[] {
    return this.#states.flatMap((state, block) => (state === wanted ? block : []));
  }

  #firstMissing(most: number): Run | null {
    const next = this.#states.indexOf('missing', this.first);
    const first = next < 0 ? this.#states.indexOf('missing') : next;
    if (first < 0) return null;
    let count = 1;
    while (count < most && this.#states[first + count] === 'missing') count++;
    return { first, count };
  }
}
