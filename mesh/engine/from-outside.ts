/**
 * One asset's way over the line from neighbours of other sites: one block after the other from several at once, so that each gives what its own
 * line can, and chooses which. Made for a transfer's Sources.
 */
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import {
  BUSY_PAUSE_MS,
  MAX_HOPS,
  OUTSIDE_LOOK_MS,
  OUTSIDE_SOURCES,
  OUTSIDE_STEAL_MS,
  UNKNOWN_LINE_RATE,
} from '../core/limits.ts';
import { choiceOf, isTooLate } from '../core/outside.ts';
import type { Neighbour } from './neighbour.ts';
import type { May, SourceBook, Taker } from './source-book.ts';

/** `took`: something came, or may come soon; `nobody` has it; `late`: it would come too late this way. */
export type OutsideOutcome = 'took' | 'nobody' | 'late';

interface Request {
  readonly source: Neighbour;
  readonly blocks: readonly number[];
  readonly since: number;
  /** Takes it back, so that its blocks can be asked of another. */
  readonly cancel: () => void;
}

const isOutside: May = ({ sameSite }) => !sameSite;
const isOfSite: May = ({ sameSite }) => sameSite;

export class FromOutside {
  readonly #taker: Taker;
  readonly #book: SourceBook;
  /** Requests under way, one to each source, oldest first: while a block comes from one, its line has others to serve. */
  readonly #open = new Set<Request>();
  /** They were silent for so long that another got their blocks. They are asked for more of this asset only where nobody else is. */
  readonly #laggards = new Set<Neighbour>();
  /** When something came first, and how many blocks there were then. */
  #first: { readonly at: number; readonly blocks: number } | null = null;
  /** The same of what came last. */
  #last = { at: 0, blocks: -1 };

  constructor(taker: Taker, book: SourceBook) {
    this.#taker = taker;
    this.#book = book;
  }

  async take(signal: AbortSignal): Promise<OutsideOutcome> {
    const { ports, underWay } = this.#taker;
    const begun = { at: ports.clock.now(), blocks: underWay.blocks.checked };
    this.#first = null;
    const over = new AbortController();
    const asking = AbortSignal.any([signal, over.signal]);
    try {
      while (!underWay.blocks.complete && !signal.aborted) {
        if (this.#siteHasIt()) return 'took';
        if (this.#isTooLate(begun)) return 'late';
        const sources = this.#sources();
        const ready = this.#book.ready(sources);
        const prompt = ready.filter((source) => !this.#laggards.has(source));
        this.#askAll(prompt.length > 0 ? prompt : ready, asking);
        if (this.#open.size + sources.length === 0) return underWay.blocks.checked > begun.blocks ? 'took' : 'nobody';
        await ports.changes.next(this.#open.size > 0 ? OUTSIDE_LOOK_MS : BUSY_PAUSE_MS, signal);
      }
      return 'took';
    } finally {
      over.abort();
    }
  }

  /** Then it is nearer there, and whoever follows us is better served there too. */
  #siteHasIt(): boolean {
    const { hops } = this.#taker;
    return (
      this.#book.holders(isOfSite).length > 0 || this.#book.carriers(isOfSite, Math.min(hops, MAX_HOPS)).length > 0
    );
  }

  #isTooLate({ at, blocks }: { readonly at: number; readonly blocks: number }): boolean {
    const { ports, underWay, wanted } = this.#taker;
    const { checked } = underWay.blocks;
    const now = ports.clock.now();
    if (checked > blocks) this.#first ??= { at: now, blocks: checked };
    if (checked !== this.#last.blocks) this.#last = { at: now, blocks: checked };
    const missing = wanted.name.size - checked * BLOCK_BYTES;
    return isTooLate({
      missing,
      gained: this.#first && { bytes: (checked - this.#first.blocks) * BLOCK_BYTES, within: now - this.#first.at },
      openFor: now - at,
      lull: now - this.#last.at,
      slack: wanted.neededAt - now,
      originTime: this.#originTime(missing),
    });
  }

  /** How long the origin would take for so many bytes, ms; `each`: if every member of the site took them there. */
  #originTime(bytes: number): { readonly once: number; readonly each: number } {
    const { ports, wanted } = this.#taker;
    const { lineRate } = ports.crossings;
    const once = (1000 * bytes) / (lineRate > 0 ? lineRate : UNKNOWN_LINE_RATE);
    return { once, each: once * ports.crossings.sizes(wanted.swarm).siteSize };
  }

  /** Those that hold least first: what the others hold beside it is asked of them alone, and their lines are to be free for it. Who fell silent before, last. */
  #sources(): readonly Neighbour[] {
    const holders = this.#book.holders(isOutside);
    const carriers = this.#book.carriers(isOutside, Infinity);
    return [...new Set([...holders, ...carriers])].sort((a, b) => a.doubt - b.doubt || a.holdings - b.holdings);
  }

  #askAll(sources: readonly Neighbour[], signal: AbortSignal): void {
    // Before the first byte, which may take seconds: others of the site would begin too. Not where all that there is fell silent of late.
    if (this.#taker.hops === Infinity && sources[0]?.doubt === 0) this.#taker.announce(1);
    for (const source of sources) {
      if (this.#open.size >= OUTSIDE_SOURCES) return;
      if ([...this.#open].some((request) => request.source === source)) continue;
      const blocks = this.#choice(source, sources, Math.min(sources.length, OUTSIDE_SOURCES) - this.#open.size);
      if (blocks.length > 0) this.#ask(source, blocks, signal);
      else if (this.#steal(source)) return;
    }
  }

  #choice(source: Neighbour, sources: readonly Neighbour[], free: number): readonly number[] {
    const { underWay, wanted, turn } = this.#taker;
    const { digest } = wanted.name;
    return choiceOf(
      underWay.blocks.missing,
      (block) => source.has(digest, block),
      (block) => sources.filter((other) => other.has(digest, block)).length,
      free,
      turn.draw,
    );
  }

  /** Who was asked for blocks and has been silent for long loses them to one that has some of them, nothing else to give, and was not outrun itself. */
  #steal(idle: Neighbour): boolean {
    const { ports, wanted } = this.#taker;
    const now = ports.clock.now();
    for (const { source, blocks, since, cancel } of this.#open) {
      const isSilent = source !== idle && now - since >= OUTSIDE_STEAL_MS;
      if (!isSilent || this.#laggards.has(idle) || !blocks.some((block) => idle.has(wanted.name.digest, block)))
        continue;
      this.#laggards.add(source);
      cancel();
      return true;
    }
    return false;
  }

  /** Null: it holds it. */
  #hopsOf(source: Neighbour): number | null {
    const { digest } = this.#taker.wanted.name;
    return source.holds(digest) ? null : (source.hopsOf(digest) ?? null);
  }

  #ask(source: Neighbour, blocks: readonly number[], signal: AbortSignal): void {
    const { underWay, ports } = this.#taker;
    const asked = underWay.blocks.choose(blocks);
    const back = new AbortController();
    const request: Request = { source, blocks, since: ports.clock.now(), cancel: () => back.abort() };
    this.#open.add(request);
    const asking = AbortSignal.any([signal, back.signal]);
    void this.#book
      .ask({ neighbour: source, asked, leaves: !underWay.leaves, hops: this.#hopsOf(source), level: Infinity }, asking)
      .finally(() => {
        this.#open.delete(request);
        ports.changes.notify();
      });
  }
}
