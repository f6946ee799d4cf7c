/** One asset on its way to us: its checked blocks so far, and who waits for more of them. Fed by a Transfer, read by Uploads. */
import { blockCount, blockMatches, leavesMatch, nameOf } from '../../protocol/digest.ts';
import type { AssetName, Sha256 } from '../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import { BlockTable } from '../core/block-table.ts';
import type { ArrivingBody } from './origin-door.ts';

export interface UnderWayListener {
  /** Bytes checked so far. */
  progress(loaded: number): void;
  /** The last neighbour that was handed its blocks is done or gone. */
  abandoned(): void;
}

export class UnderWay {
  readonly name: AssetName;
  readonly blocks: BlockTable;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The origin's answer from its first byte on, while it comes: not checked, so for our page alone. Null: there is none. */
  arriving: ArrivingBody | null = null;
  /** Does somebody read it who can be given nothing but checked blocks? */
  needsLeaves = false;
  readonly #sha256: Sha256;
  readonly #listener: UnderWayListener;
  #leaves: Uint8Array<ArrayBuffer> | null = null;
  #followers = 0;
  #withheld = false;
  #leavesLate = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  /** @param begun the same asset on an earlier way that was given up: its checked blocks are here already */
  constructor(name: AssetName, sha256: Sha256, listener: UnderWayListener, begun?: UnderWay) {
    this.name = name;
    this.#sha256 = sha256;
    this.#listener = listener;
    this.blocks = new BlockTable(blockCount(name.size));
    this.body = begun?.body ?? new Uint8Array(name.size);
    this.#leaves = begun?.leaves ?? null;
    for (const index of begun?.blocks.here ?? []) this.blocks.check(index);
  }

  /** Checked; null: not known yet. */
  get leaves(): Uint8Array<ArrayBuffer> | null {
    return this.#leaves;
  }

  /** False if they are not the asset's. */
  async takeLeaves(size: number, untrustedLeaves: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (size !== this.name.size || !(await leavesMatch(this.name, untrustedLeaves, this.#sha256))) return false;
    this.#leaves ??= untrustedLeaves;
    this.wake();
    return true;
  }

  /** Checks a block; `wrong` if it is not the asset's, `known` if it is here already. The leaves must be known. */
  async takeBlock(index: number, untrustedBlock: Uint8Array<ArrayBuffer>): Promise<'new' | 'known' | 'wrong'> {
    const right =
      this.#leaves !== null && (await blockMatches(this.name, this.#leaves, index, untrustedBlock, this.#sha256));
    if (!right) return 'wrong';
    if (!this.blocks.check(index)) return 'known';
    this.body.set(untrustedBlock, index * BLOCK_BYTES);
    this.#tellProgress();
    this.wake();
    return 'new';
  }

  /** Takes all of it at once; false if it is not the asset. */
  async takeWhole(untrustedBody: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { digest, leaves } = await nameOf(untrustedBody, this.#sha256, this.name.urlKey);
    if (digest !== this.name.digest) return false;
    this.#leaves = leaves;
    this.body.set(untrustedBody);
    for (let index = 0; index < this.blocks.count; index++) this.blocks.check(index);
    this.wake();
    return true;
  }

  /** A copy of the checked bytes from `start` on, up to the first that is missing. */
  checkedFrom(start: number): ArrayBuffer {
    return this.body.slice(start, this.checkedUntil(start)).buffer;
  }

  /** The end of the checked bytes that `start` is among; `start` itself where that is missing. */
  checkedUntil(start: number): number {
    const end = this.blocks.checkedUntil(Math.floor(start / BLOCK_BYTES)) * BLOCK_BYTES;
    return Math.min(this.name.size, Math.max(start, end));
  }

  /** Neighbours that are handed its blocks. */
  get followers(): number {
    return this.#followers;
  }

  follow(): void {
    this.#followers++;
  }

  unfollow(): void {
    if (--this.#followers === 0) this.#listener.abandoned();
  }

  /** The origin's answer may not be shared: nobody is handed anything. */
  get withheld(): boolean {
    return this.#withheld;
  }

  withhold(): void {
    this.#withheld = true;
    this.wake();
  }

  /** Are the block hashes not to be had, or not soon? */
  get leavesLate(): boolean {
    return this.#leavesLate;
  }

  /** The block hashes do not come, or take too long: until they do nobody can be handed anything. */
  missLeaves(): void {
    this.#leavesLate = true;
    this.#tellProgress();
    this.wake();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.wake();
  }

  /** As soon as they are known; `late`: perhaps when the asset is whole; null: they never will be, or are not wanted any more. */
  async comingLeaves(wanted: () => boolean): Promise<Uint8Array<ArrayBuffer> | 'late' | null> {
    while (!this.#leaves && !this.#leavesLate && this.#mayCome(wanted)) await this.#change();
    if (this.#withheld) return null;
    return this.#leaves ?? (this.#leavesLate && !this.#ended ? 'late' : null);
  }

  /** True as soon as one of these blocks is checked; false: none ever will be, or is wanted any more. */
  async coming(indices: readonly number[], wanted: () => boolean): Promise<boolean> {
    const isHere = (): boolean => indices.some((index) => this.gives(index));
    while (!isHere() && this.#mayCome(wanted)) await this.#change();
    return isHere();
  }

  /** Is this block checked, and to be handed on? */
  gives(index: number): boolean {
    return this.blocks.has(index) && !this.#withheld;
  }

  #tellProgress(): void {
    this.#listener.progress(Math.min(this.name.size, this.blocks.checked * BLOCK_BYTES));
  }

  #mayCome(wanted: () => boolean): boolean {
    return !this.#ended && !this.#withheld && wanted();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Who waits looks again whether what it waits for is there, or still wanted. */
  wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
