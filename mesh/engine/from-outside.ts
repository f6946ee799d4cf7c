/**
 * One asset's way over the line from neighbours of other sites: short runs of blocks from several at once, so that each gives what its own
 * line can. Made for a transfer's Sources.
 */
import { BLOCK_BYTES } from '../../protocol/limits.ts';
import {
  BUSY_PAUSE_MS,
  MAX_HOPS,
  OUTSIDE_BLOCKS_PER_REQUEST,
  OUTSIDE_LOOK_MS,
  OUTSIDE_STEAL_MS,
  REQUESTS_PER_NEIGHBOUR,
  UNKNOWN_LINE_RATE,
} from '../core/limits.ts';
import { isTooLate, sourcesAtOnce } from '../core/outside.ts';
import type { Neighbour } from './neighbour.ts';
import type { May, SourceBook, Taker } from './source-book.ts';

/** `took`: something came, or may come soon; `nobody` has it; `late`: it would come too late this way. */
export type OutsideOutcome = 'took' | 'nobody' | 'late';

interface Request {
  readonly source: Neighbour;
  readonly since: number;
  /** Takes it back, so that its blocks can be asked of another. */
  readonly cancel: () => void;
}

const isOutside: May = ({ sameSite }) => !sameSite;
const isOfSite: May = ({ sameSite }) => sameSite;

export class FromOutside {
  readonly #taker: Taker;
  readonly #book: SourceBook;
  /** Requests under way, oldest first. */
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
    return this.#book.holders(isOfSite).length > 0 || this.#book.carriers(isOfSite, hops).length > 0;
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

  /** Who holds it before who has it under way; who fell silent before, last. */
  #sources(): readonly Neighbour[] {
    const holders = this.#book.holders(isOutside);
    const carriers = this.#book.carriers(isOutside, this.#taker.hops);
    return [...new Set([...holders, ...carriers])].sort((a, b) => a.doubt - b.doubt);
  }

  #askAll(sources: readonly Neighbour[], signal: AbortSignal): void {
    const { wanted, ports, hops } = this.#taker;
    const most = sourcesAtOnce(wanted.neededAt - ports.clock.now());
    // Before the first byte, which may take seconds: others of the site would begin too. From now on those as far as we are not asked. Not where all that there is fell silent of late.
    if (hops === Infinity && sources[0]?.doubt === 0)
      this.#taker.announce(
        Math.min(MAX_HOPS, 1 + Math.max(...sources.slice(0, most).map((source) => this.#hopsOf(source) ?? 0))),
      );
    for (const source of sources) {
      if (this.#requestsTo(source) === 0 && this.#sourcesAsked() >= most) continue;
      while (this.#requestsTo(source) < REQUESTS_PER_NEIGHBOUR)
        if (!this.#ask(source, signal)) return this.#steal(source);
    }
  }

  /** Nothing is missing but what others were asked for: one that has been silent for long loses it to one that has nothing to do and was not outrun itself. */
  #steal(idle: Neighbour): void {
    const now = this.#taker.ports.clock.now();
    for (const { source, since, cancel } of this.#open)
      if (source !== idle && now - since >= OUTSIDE_STEAL_MS && !this.#laggards.has(idle)) {
        this.#laggards.add(source);
        return cancel();
      }
  }

  #requestsTo(source: Neighbour): number {
    return [...this.#open].filter((request) => request.source === source).length;
  }

  #sourcesAsked(): number {
    return new Set([...this.#open].map(({ source }) => source)).size;
  }

  /** Null: it holds it. */
  #hopsOf(source: Neighbour): number | null {
    const { digest } = this.#taker.wanted.name;
    return source.holds(digest) ? null : (source.hopsOf(digest) ?? null);
  }

  /** False: nothing is missing. */
  #ask(source: Neighbour, signal: AbortSignal): boolean {
    const { underWay, ports } = this.#taker;
    const run = underWay.blocks.take(OUTSIDE_BLOCKS_PER_REQUEST);
    if (!run) return false;
    const back = new AbortController();
    const request: Request = { source, since: ports.clock.now(), cancel: () => back.abort() };
    this.#open.add(request);
    const asking = AbortSignal.any([signal, back.signal]);
    void this.#book
      .ask({ neighbour: source, run, leaves: !underWay.leaves, hops: this.#hopsOf(source), level: Infinity }, asking)
      .finally(() => {
        this.#open.delete(request);
        ports.changes.notify();
      });
    return true;
  }
}
