import type { Clock } from '../../mesh/core/ports.ts';

/** One segment on its way to the player. */
export interface Loading {
  readonly index: number;
  abort(): void;
}

/** What the player asks of the page. Times in ms. */
export interface PlayerPorts {
  readonly clock: Clock;
  /** Fetches the playlist; resolves with the number of segments that it lists. */
  playlist(): Promise<number>;
  /** Loads a segment. @param deadline ms until it is to be played */
  load(index: number, deadline: number, done: (isThere: boolean) => void): Loading;
  /** Tells the engine what comes next, soonest first. */
  expect(coming: readonly { readonly index: number; readonly within: number }[]): void;
}

export interface PlayerOptions {
  readonly segmentMs: number;
  /** Segments of the whole stream. */
  readonly segments: number;
  /** Starts three segments before the end of its first playlist, and loads it again and again. */
  readonly isLive: boolean;
}

/** As hls.js: seconds ahead that it buffers, segments that it stays behind a live edge, and how many it looks ahead. */
const BUFFER_MS = 30_000;
const LIVE_SEGMENTS_BEHIND = 3;
const LOOK_AHEAD = 8;

/** A failed segment is asked for again after this, ms. */
const RETRY_MS = 1000;

/** A player that does what hls.js does with one rendition: one segment after the other, until the buffer is full. */
export class Player {
  /** ms after it came; null: not yet. */
  firstFrame: number | null = null;
  /** In which it waited after its first frame, ms. */
  #stalled = 0;
  isOver = false;
  readonly #ports: PlayerPorts;
  readonly #options: PlayerOptions;
  readonly #startedAt: number;
  readonly #buffered = new Set<number>();
  /** The playlist's segments as far as it is known. */
  #listed = 0;
  #loading: Loading | null = null;
  /** Where it was at `#since`, ms of the stream; it plays on from there unless it waits. */
  #position = 0;
  #since = 0;
  #state: 'waiting' | 'playing' = 'waiting';
  #cancelRunOut = (): void => undefined;
  #cancelRefill = (): void => undefined;

  constructor(ports: PlayerPorts, options: PlayerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#startedAt = this.#since = ports.clock.now();
  }

  async start(): Promise<void> {
    this.#listed = await this.#ports.playlist();
    if (this.#options.isLive) {
      this.#position = Math.max(0, this.#listed - LIVE_SEGMENTS_BEHIND) * this.#options.segmentMs;
      this.#ports.clock.after(this.#options.segmentMs, () => void this.#reload());
    }
    this.#loadNext();
  }

  get stalled(): number {
    const isWaiting = this.#state === 'waiting' && this.firstFrame !== null && !this.isOver;
    return this.#stalled + (isWaiting ? this.#ports.clock.now() - this.#since : 0);
  }

  /** Jumps there, ms of the stream. */
  seek(position: number): void {
    if (this.isOver || this.firstFrame === null) return;
    this.#halt();
    this.#position = position;
    const wanted = this.#wanted();
    if (this.#loading?.index === wanted) this.#tellWhatComes(wanted);
    else this.#abort();
    this.#goOn();
    this.#loadNext();
  }

  /** The viewer goes. */
  stop(): void {
    if (this.isOver) return;
    this.#halt();
    this.isOver = true;
    this.#cancelRefill();
    this.#abort();
    this.#ports.expect([]);
  }

  async #reload(): Promise<void> {
    if (this.isOver) return;
    this.#listed = await this.#ports.playlist();
    this.#ports.clock.after(this.#options.segmentMs, () => void this.#reload());
    this.#loadNext();
  }

  #now(): number {
    return this.#position + (this.#state === 'playing' ? this.#ports.clock.now() - this.#since : 0);
  }

  /** The first segment from the playhead on that is not there. */
  #wanted(): number {
    let index = Math.floor(this.#now() / this.#options.segmentMs);
    while (this.#buffered.has(index)) index++;
    return index;
  }

  #loadNext(): void {
    if (this.isOver || this.#loading) return;
    this.#cancelRefill();
    const index = this.#wanted();
    if (index >= this.#listed) return;
    const ahead = index * this.#options.segmentMs - this.#now();
    if (ahead >= BUFFER_MS) {
      this.#cancelRefill = this.#ports.clock.after(ahead - BUFFER_MS + 1, () => this.#loadNext());
      return;
    }
    this.#tellWhatComes(index);
    const loading = this.#ports.load(index, Math.max(0, ahead), (isThere) => {
      if (this.#loading !== loading) return;
      this.#loading = null;
      if (isThere) this.#take(index);
      else this.#ports.clock.after(RETRY_MS, () => this.#loadNext());
    });
    this.#loading = loading;
  }

  #tellWhatComes(first: number): void {
    const now = this.#now();
    const coming: { index: number; within: number }[] = [];
    for (let index = first; index < this.#listed && coming.length < LOOK_AHEAD; index++)
      if (!this.#buffered.has(index))
        coming.push({ index, within: Math.max(0, index * this.#options.segmentMs - now) });
    this.#ports.expect(coming);
  }

  #take(index: number): void {
    this.#buffered.add(index);
    this.#halt();
    this.#goOn();
    this.#loadNext();
  }

  #abort(): void {
    const loading = this.#loading;
    this.#loading = null;
    loading?.abort();
  }

  /** Notes how far it came. */
  #halt(): void {
    if (this.isOver) return;
    const now = this.#ports.clock.now();
    if (this.#state === 'playing') this.#position += now - this.#since;
    else if (this.firstFrame !== null) this.#stalled += now - this.#since;
    this.#since = now;
    this.#state = 'waiting';
    this.#cancelRunOut();
  }

  /** Plays as far as the buffer reaches. */
  #goOn(): void {
    const { segmentMs, segments } = this.#options;
    const end = this.#wanted() * segmentMs;
    if (this.#position >= segments * segmentMs) return this.stop();
    if (this.#position >= end) return;
    this.#state = 'playing';
    this.firstFrame ??= this.#ports.clock.now() - this.#startedAt;
    this.#cancelRunOut = this.#ports.clock.after(end - this.#position, () => {
      this.#halt();
      this.#position = end;
      // The next segment may have come in this very moment, or the stream is over.
      this.#goOn();
      this.#loadNext();
    });
  }
}
