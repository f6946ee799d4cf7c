/**
 * One asset with a digest on its way to us: from neighbours block by block, from the origin whole or by Range for what is missing.
 * Owned by Assets; lives until the asset is there, failed, or nobody wants it any more.
 */
import { blockCount, blockLength, blockMatches, leavesMatch, nameOf } from '../../protocol/digest.ts';
import { P2PError } from '../../protocol/error.ts';
import type { AssetName, Sha256 } from '../../protocol/ids.ts';
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import { BlockTable, type Run } from '../core/block-table.ts';
import { BLOCKS_PER_REQUEST, LAST_RESORT_ROUNDS, REQUESTS_PER_NEIGHBOUR } from '../core/limits.ts';
import type { OriginFetch, OriginResponse, Trace } from '../core/ports.ts';
import type { Neighbour } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';
import { originFailed, readBody } from './origin-door.ts';
import type { ContentSink } from './questions.ts';

export interface TransferPorts {
  readonly sha256: Sha256;
  readonly origin: OriginFetch;
  readonly neighbours: Neighbours;
  readonly trace: Trace;
  /** Checked bytes came from a neighbour. */
  readonly countPeerBytes: (bytes: number) => void;
}

/** What came. `leaves` is null where the origin's bytes contradict the digest: then they are for the page alone. */
export interface Transferred {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly leaves: Uint8Array<ArrayBuffer> | null;
  readonly source: 'peers' | 'origin' | 'mixed';
  /** Of the origin's answer; null where neighbours gave all. */
  readonly origin: { readonly contentType: string; readonly shareable: boolean; readonly url: string } | null;
}

export class Transfer {
  readonly #ports: TransferPorts;
  readonly #url: string;
  readonly #name: AssetName;
  readonly #neededAt: number;
  readonly #signal: AbortSignal;
  readonly #progress: (loaded: number, total: number) => void;
  readonly #blocks: BlockTable;
  readonly #body: Uint8Array<ArrayBuffer>;
  #leaves: Uint8Array<ArrayBuffer> | null = null;
  #leavesCheck: Promise<boolean> | null = null;
  #peerBlocks = 0;

  /** @param neededAt when it is needed, on the engine's clock; Infinity: not known */
  constructor(
    ports: TransferPorts,
    url: string,
    name: AssetName,
    neededAt: number,
    signal: AbortSignal,
    progress: (loaded: number, total: number) => void,
  ) {
    this.#ports = ports;
    this.#url = url;
    this.#name = name;
    this.#neededAt = neededAt;
    this.#signal = signal;
    this.#progress = progress;
    this.#blocks = new BlockTable(blockCount(name.size));
    this.#body = new Uint8Array(name.size);
  }

  /** Neighbours first, then the origin for what is missing; if it fails, neighbours again, also those that fell silent. */
  async run(): Promise<Transferred> {
    const assembled = await this.#allFromNeighbours(false);
    if (assembled) return assembled;
    try {
      return this.#blocks.checked === 0 || !this.#leaves
        ? await this.#wholeFromOrigin()
        : await this.#restFromOrigin(this.#leaves);
    } catch (error) {
      this.#signal.throwIfAborted();
      for (let round = 0; round < LAST_RESORT_ROUNDS; round++) {
        const assembled = await this.#allFromNeighbours(true);
        if (assembled) return assembled;
      }
      throw error;
    }
  }

  /** Null: neighbours could not give all of it. */
  async #allFromNeighbours(lastResort: boolean): Promise<Transferred | null> {
    await this.#fromNeighbours(lastResort);
    this.#signal.throwIfAborted();
    return this.#blocks.complete ? this.#assembled(null) : null;
  }

  async #fromNeighbours(lastResort: boolean): Promise<void> {
    const failed = new Set<Neighbour>();
    for (;;) {
      const holders = this.#ports.neighbours
        .holders(this.#name.digest)
        .filter((holder) => !failed.has(holder) && (lastResort || !holder.paused));
      const [first] = holders;
      if (!first || this.#blocks.complete || this.#signal.aborted) return;
      if (!this.#leaves) {
        await this.#ask(first, failed, true);
        continue;
      }
      const pulls = Array.from({ length: REQUESTS_PER_NEIGHBOUR }, () =>
        holders.map((holder) => this.#pull(holder, failed)),
      );
      await Promise.all(pulls.flat());
    }
  }

  async #pull(holder: Neighbour, failed: Set<Neighbour>): Promise<void> {
    while (!failed.has(holder) && (await this.#ask(holder, failed, false)));
  }

  /** One request; false where nothing is missing or the neighbour failed. */
  async #ask(holder: Neighbour, failed: Set<Neighbour>, leaves: boolean): Promise<boolean> {
    const run = this.#blocks.take(BLOCKS_PER_REQUEST);
    if (!run) return false;
    this.#leavesCheck = leaves ? null : this.#leavesCheck;
    const outcome = await holder.ask({
      digest: this.#name.digest,
      run,
      leaves,
      neededAt: this.#neededAt,
      sink: this.#sink,
      signal: this.#signal,
    });
    this.#blocks.release(run);
    this.#ports.trace(
      'transfer',
      () => `${this.#name.digest.slice(0, 8)} ${run.first}+${run.count} from ${holder.peer}: ${outcome}`,
    );
    if (outcome === 'done') return true;
    failed.add(holder);
    if (outcome === 'lied')
      this.#ports.neighbours.ban(
        holder,
        new P2PError(
          'peer-banned',
          `Neighbour ${holder.peer} sent bytes that are not those of ${this.#url} and is banned; they were thrown away.`,
          { peer: holder.peer, url: this.#url },
        ),
      );
    return false;
  }

  readonly #sink: ContentSink = {
    leaves: (size, untrustedLeaves) => {
      this.#leavesCheck = (
        size === this.#name.size ? leavesMatch(this.#name, untrustedLeaves, this.#ports.sha256) : Promise.resolve(false)
      ).then((right) => {
        if (right) this.#leaves ??= untrustedLeaves;
        return right;
      });
      return this.#leavesCheck;
    },
    block: async (index, untrustedBlock) => {
      await this.#leavesCheck;
      const right =
        this.#leaves !== null &&
        (await blockMatches(this.#name, this.#leaves, index, untrustedBlock, this.#ports.sha256));
      if (right && this.#put(index, untrustedBlock)) {
        this.#peerBlocks++;
        this.#ports.countPeerBytes(untrustedBlock.length);
      }
      return right;
    },
  };

  /** Takes a checked block. */
  #put(index: number, block: Uint8Array): boolean {
    if (!this.#blocks.check(index)) return false;
    this.#body.set(block, index * BLOCK_BYTES);
    this.#progress(Math.min(this.#name.size, this.#blocks.checked * BLOCK_BYTES), this.#name.size);
    return true;
  }

  async #wholeFromOrigin(): Promise<Transferred> {
    const request = { url: this.#url, range: null, signal: this.#signal } as const;
    let response = await this.#ports.origin({ ...request, credentials: 'omit' });
    // What wants a cookie is the page's, but not shared.
    if (response.status === 401 || response.status === 403)
      response = { ...(await this.#ports.origin({ ...request, credentials: 'same-origin' })), shareable: false };
    if (response.status !== 200) throw originFailed(this.#url, `status ${response.status}`, response.status);
    return this.#readWhole(response);
  }

  async #readWhole(response: OriginResponse): Promise<Transferred> {
    const body = await readBody(this.#url, response, (loaded) =>
      this.#progress(loaded, response.size ?? this.#name.size),
    );
    const actual = body.length === this.#name.size ? await nameOf(body, this.#ports.sha256) : null;
    const leaves = actual?.digest === this.#name.digest ? actual.leaves : null;
    return { body, leaves, source: 'origin', origin: response };
  }

  /** Fetches what is missing by Range and checks it block by block; an origin that has other bytes by now gives the whole anew, so that no two versions are spliced. */
  async #restFromOrigin(leaves: Uint8Array): Promise<Transferred> {
    let last: OriginResponse | null = null;
    for (let run = this.#blocks.take(Infinity); run; run = this.#blocks.take(Infinity)) {
      const range = {
        start: run.first * BLOCK_BYTES,
        end: Math.min(this.#name.size, (run.first + run.count) * BLOCK_BYTES),
      };
      try {
        last = await this.#ports.origin({ url: this.#url, range, credentials: 'omit', signal: this.#signal });
        if (last.status === 200) return await this.#readWhole(last);
        if (last.status !== 206 || last.start !== range.start || !(await this.#fill(last, run, leaves)))
          return await this.#wholeFromOrigin();
      } finally {
        this.#blocks.release(run);
      }
    }
    return this.#assembled(last);
  }

  /** Streams a range into its blocks; false if one of them is not the asset's, or does not come: then the origin may have a shorter version. */
  async #fill(response: OriginResponse, run: Run, leaves: Uint8Array): Promise<boolean> {
    let index = run.first;
    let filled = 0;
    let block = new Uint8Array(blockLength(this.#name.size, index));
    for await (const chunk of response.chunks) {
      for (let rest = chunk; rest.length > 0 && index < run.first + run.count;) {
        const part = rest.subarray(0, block.length - filled);
        block.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled < block.length) continue;
        if (!(await blockMatches(this.#name, leaves, index, block, this.#ports.sha256))) return false;
        this.#put(index++, block);
        filled = 0;
        block = new Uint8Array(Math.max(0, blockLength(this.#name.size, index)));
      }
    }
    return index === run.first + run.count;
  }

  #assembled(origin: Transferred['origin']): Transferred {
    const source = this.#peerBlocks === this.#blocks.count ? 'peers' : this.#peerBlocks === 0 ? 'origin' : 'mixed';
    return { body: this.#body, leaves: this.#leaves, source, origin };
  }
}
