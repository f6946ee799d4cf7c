/** Brings one asset from the origin: whole, or by Range what is missing. With company its blocks are checked and handed on while they come. Owned by a Transfer. */
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import type { ByteRange } from '../../protocol/page.ts';
import type { Run } from '../core/block-table.ts';
import { LEAVES_WAIT_MS, TURN_AFTER_BLOCKS } from '../core/limits.ts';
import type { Clock, OriginFetch, OriginResponse } from '../core/ports.ts';
import { BlockSplitter } from './block-splitter.ts';
import { ArrivingBody, originFailed, readBody } from './origin-door.ts';
import type { UnderWay } from './under-way.ts';

export interface CrossingPorts {
  readonly clock: Clock;
  readonly origin: OriginFetch;
  /** Bytes of the asset came over the line. */
  readonly crossed: (bytes: number) => void;
  /** Is anybody there to hand the blocks to? */
  readonly hasCompany: () => boolean;
  /** Where its block hashes are; null: not known. */
  readonly leavesUrl: string | null;
  readonly progress: (loaded: number, total: number) => void;
}

/** What the origin gave: the asset, or other bytes under its name, which are for the page alone. */
export interface Crossed {
  readonly response: OriginResponse | null;
  readonly otherBody: Uint8Array<ArrayBuffer> | null;
}

export class Crossing {
  readonly #ports: CrossingPorts;
  readonly #url: string;
  /** The part of the URL that is the asset; null: all of it. */
  readonly #range: ByteRange | null;
  readonly #underWay: UnderWay;
  readonly #signal: AbortSignal;
  #leaves: Promise<boolean> | null = null;
  /** Of the answers that are read now. */
  #attempt = new AbortController();
  /** The block that comes next. */
  #next = 0;
  /** Checks the blocks that came before their hashes. */
  #check: () => void = () => undefined;

  constructor(
    ports: CrossingPorts,
    { url, range }: { readonly url: string; readonly range: ByteRange | null },
    underWay: UnderWay,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#url = url;
    this.#range = range;
    this.#underWay = underWay;
    this.#signal = signal;
  }

  /** @throws P2PError `origin-failed` */
  async run(): Promise<Crossed> {
    const { blocks } = this.#underWay;
    if (blocks.first > 0) {
      void this.#askLeaves();
      await this.#underWay.comingLeaves(() => !this.#signal.aborted);
    }
    for (;;) {
      const attempt = (this.#attempt = new AbortController());
      try {
        return await (blocks.checked + blocks.first > 0 && this.#underWay.leaves ? this.#rest() : this.#whole());
      } catch (error) {
        if (!attempt.signal.aborted || this.#signal.aborted) throw error;
      }
    }
  }

  /** Somebody waits for this block, which is not here: if it is not near, what comes now is let go and the rest asked for from there on. */
  async turnTo(block: number): Promise<void> {
    if (!(await this.#askLeaves()) || this.#underWay.blocks.has(block)) return;
    if (block < this.#next || block > this.#next + TURN_AFTER_BLOCKS) this.#attempt.abort();
  }

  async #whole(): Promise<Crossed> {
    const answer = this.#request(null, 'omit');
    if (this.#ports.hasCompany() || this.#underWay.needsLeaves) void this.#askLeaves();
    let response = await answer;
    // What wants a cookie is the page's, but not shared.
    if (response.status === 401 || response.status === 403) {
      this.#underWay.withhold();
      response = { ...(await this.#request(null, 'same-origin')), shareable: false };
    }
    const isPart = this.#range !== null && response.status === 206 && response.start === this.#range.start;
    if (response.status !== 200 && !isPart) throw originFailed(this.#url, `status ${response.status}`, response.status);
    return this.#read(response);
  }

  /**
   * Asks for the asset or a part of it.
   * @param part counted from the asset's first byte; null: all of it
   */
  async #request(part: ByteRange | null, credentials: 'omit' | 'same-origin'): Promise<OriginResponse> {
    const base = this.#range?.start ?? 0;
    const range = part ? { start: base + part.start, end: base + part.end } : this.#range;
    const signal = AbortSignal.any([this.#signal, this.#attempt.signal]);
    const response = await this.#ports.origin({ url: this.#url, range, credentials, signal });
    // An origin that knows no ranges gives all of the URL.
    return response.status === 200 && this.#range
      ? { ...response, size: null, chunks: within(response.chunks, this.#range) }
      : response;
  }

  /** Reads all of it, whatever it is. Blocks are checked as soon as they and their hashes are there. */
  async #read(response: OriginResponse): Promise<Crossed> {
    const { name, blocks } = this.#underWay;
    if (!response.shareable) this.#underWay.withhold();
    const splitter = new BlockSplitter(name.size, 0);
    const unchecked: { readonly index: number; readonly block: Uint8Array<ArrayBuffer> }[] = [];
    let checking = Promise.resolve();
    this.#check = () => {
      checking = checking.then(async () => {
        while (this.#underWay.leaves) {
          const next = unchecked.shift();
          if (!next) return;
          await this.#underWay.takeBlock(next.index, next.block);
        }
      });
    };
    const arriving = new ArrivingBody(response.size ?? name.size);
    if (blocks.checked === 0 && (response.size ?? name.size) === name.size) this.#underWay.arriving = arriving;
    const each = (chunk: Uint8Array, loaded: number): void => {
      this.#ports.crossed(chunk.length);
      if (this.#ports.hasCompany()) void this.#askLeaves();
      unchecked.push(...splitter.push(chunk));
      this.#next = splitter.index;
      this.#check();
      this.#ports.progress(loaded, response.size ?? name.size);
    };
    try {
      const body = await readBody(this.#url, response, each, arriving);
      await checking;
      return (await this.#isAsset(body)) ? { response, otherBody: null } : { response, otherBody: body };
    } finally {
      await checking;
    }
  }

  /** Is this the asset? Then all of it is checked. */
  async #isAsset(body: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { name, blocks } = this.#underWay;
    if (body.length !== name.size) return false;
    return blocks.complete || this.#underWay.takeWhole(body);
  }

  /** Asks for the block hashes, once. True as soon as they are known, false if they do not come. */
  #askLeaves(): Promise<boolean> {
    this.#leaves ??= this.#underWay.leaves ? Promise.resolve(true) : this.#takeLeaves();
    return this.#leaves;
  }

  async #takeLeaves(): Promise<boolean> {
    const cancel = this.#ports.clock.after(LEAVES_WAIT_MS, () => this.#underWay.missLeaves());
    const came = await this.#loadLeaves().catch(() => false);
    cancel();
    if (came) this.#check();
    // Who is not to cross any more says nothing of them.
    else if (this.#signal.aborted) this.#underWay.wake();
    else this.#underWay.missLeaves();
    return came;
  }

  async #loadLeaves(): Promise<boolean> {
    const { leavesUrl, origin } = this.#ports;
    if (leavesUrl === null) return false;
    const response = await origin({ url: leavesUrl, range: null, credentials: 'omit', signal: this.#signal });
    if (response.status !== 200) return false;
    const leaves = await readBody(leavesUrl, response);
    return this.#underWay.takeLeaves(this.#underWay.name.size, leaves);
  }

  /** Fetches what is missing by Range; an origin that has other bytes by now gives the whole anew, so that no two versions are spliced. */
  async #rest(): Promise<Crossed> {
    const { blocks, name } = this.#underWay;
    let last: OriginResponse | null = null;
    for (let run = blocks.unchecked; run; run = blocks.unchecked) {
      const range = { start: run.first * BLOCK_BYTES, end: Math.min(name.size, (run.first + run.count) * BLOCK_BYTES) };
      last = await this.#request(range, 'omit');
      if (last.status === 200) return await this.#read(last);
      if (last.status !== 206 || last.start !== (this.#range?.start ?? 0) + range.start) return await this.#whole();
      if (!last.shareable) this.#underWay.withhold();
      if (!(await this.#fill(last, run))) return await this.#whole();
    }
    return { response: last, otherBody: null };
  }

  /** Streams a range into its blocks; false if one of them is not the asset's, or does not come: then the origin may have a shorter version. */
  async #fill(response: OriginResponse, run: Run): Promise<boolean> {
    const splitter = new BlockSplitter(this.#underWay.name.size, run.first);
    for await (const chunk of response.chunks) {
      this.#ports.crossed(chunk.length);
      this.#next = splitter.index;
      for (const { index, block } of splitter.push(chunk))
        if (index < run.first + run.count && (await this.#underWay.takeBlock(index, block)) === 'wrong') return false;
    }
    return splitter.index >= run.first + run.count;
  }
}

/** Of all chunks the bytes of a range. */
async function* within(chunks: OriginResponse['chunks'], { start, end }: ByteRange): OriginResponse['chunks'] {
  let at = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.length;
    if (part.length > 0) yield part;
    if (at >= end) return;
  }
}
