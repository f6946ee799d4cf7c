import { blockLength } from '../../protocol/digest.ts';

/** Cuts a stream of chunks into an asset's blocks, from a given one on. */
export class BlockSplitter {
  readonly #size: number;
  #index: number;
  #block: Uint8Array<ArrayBuffer>;
  #filled = 0;

  constructor(size: number, first: number) {
    this.#size = size;
    this.#index = first;
    this.#block = new Uint8Array(blockLength(size, first));
  }

  /** The block that comes next. */
  get index(): number {
    return this.#index;
  }

  /** The blocks that a chunk completes; what is past the asset's end is dropped. */
  *push(chunk: Uint8Array): Generator<{ readonly index: number; readonly block: Uint8Array<ArrayBuffer> }> {
    for (let rest = chunk; rest.length > 0 && this.#block.length > 0;) {
      const part = rest.subarray(0, this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < this.#block.length) return;
      yield { index: this.#index++, block: this.#block };
      this.#filled = 0;
      this.#block = new Uint8Array(Math.max(0, blockLength(this.#size, this.#index)));
    }
  }
}
