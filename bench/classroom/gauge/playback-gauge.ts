/**
 * What a viewer saw, from samples of a <video>. One gauge for every system; what a library says about itself is not asked.
 * Pure; the page's part is page.ts. Times are seconds since the navigation, positions are seconds of media.
 */

export type Range = readonly [start: number, end: number];

/** The <video> at one moment. */
export interface Sample {
  readonly now: number;
  readonly position: number;
  /** NaN or huge while unknown or live. */
  readonly duration: number;
  readonly ended: boolean;
  readonly buffered: readonly Range[];
  readonly played: readonly Range[];
  /** Of the picture, which tells the rendition; 0 before there is one. */
  readonly height: number;
}

export interface Stall {
  /** When the playhead had last moved. */
  readonly at: number;
  readonly duration: number;
}

export interface Reading {
  readonly now: number;
  /** When the first frame was presented, page and library load included. */
  readonly firstFrame: number | undefined;
  /** The playhead did not advance for 0.3 s or more, after the first frame and before the end. A jump is no advance. */
  readonly stalls: readonly Stall[];
  /** Is the last of them still going on? */
  readonly isStalled: boolean;
  /** Seconds of media that the playhead went through, and that it jumped over after the first frame (seeks, live catch-up). */
  readonly played: number;
  readonly skipped: number;
  /** Seconds of media obtained: in played or buffered ranges. */
  readonly have: number;
  readonly position: number;
  /** Furthest end of any buffered range. */
  readonly bufferEnd: number;
  readonly ended: boolean;
  /** Each change of the picture's height, the first included. */
  readonly heights: readonly { readonly at: number; readonly height: number }[];
  /** Height → seconds played in it. */
  readonly playedIn: Readonly<Record<number, number>>;
}

/** Below this a viewer does not notice, and a busy machine does it to anybody. */
const STALL_SECONDS = 0.3;
/** A playhead that gains more than this has jumped. */
const JUMP = { rate: 1.5, seconds: 0.5 } as const;
/** A player's end may miss the duration by a frame or two. */
const END_SECONDS = 0.3;
const LIVE_DURATION = 1e6;

export class PlaybackGauge {
  #firstFrame: number | undefined;
  #last: Sample | undefined;
  /** When the playhead last advanced. */
  #moved = 0;
  #isStalled = false;
  #stalls: Stall[] = [];
  #played = 0;
  #skipped = 0;
  #heights: { at: number; height: number }[] = [];
  readonly #playedIn: Record<number, number> = {};

  firstFrame(now: number): void {
    if (this.#firstFrame !== undefined) return;
    this.#firstFrame = now;
    this.#moved = now;
  }

  sample(sample: Sample): void {
    const last = this.#last ?? sample;
    this.#last = sample;
    const { now, position, height } = sample;
    if (height > 0 && this.#heights.at(-1)?.height !== height) this.#heights.push({ at: now, height });
    const advance = position - last.position;
    if (advance > 0 && advance < (now - last.now) * JUMP.rate + JUMP.seconds) {
      this.#played += advance;
      this.#playedIn[height] = (this.#playedIn[height] ?? 0) + advance;
      if (this.#isStalled) this.#lengthenStall(now);
      this.#isStalled = false;
      this.#moved = now;
    } else if (this.#firstFrame !== undefined && last.now >= this.#firstFrame) this.#skipped += Math.max(0, advance);
    if (this.#firstFrame !== undefined && !hasEnded(sample) && now - this.#moved >= STALL_SECONDS) {
      if (!this.#isStalled) this.#stalls.push({ at: this.#moved, duration: 0 });
      this.#isStalled = true;
      this.#lengthenStall(now);
    }
  }

  read(): Reading {
    const { now = 0, position = 0, buffered = [], played = [] } = this.#last ?? {};
    return {
      now,
      firstFrame: this.#firstFrame,
      stalls: this.#stalls,
      isStalled: this.#isStalled,
      played: this.#played,
      skipped: this.#skipped,
      have: unionLength([...buffered, ...played]),
      position,
      bufferEnd: Math.max(0, ...buffered.map(([, end]) => end)),
      ended: this.#last !== undefined && hasEnded(this.#last),
      heights: this.#heights,
      playedIn: this.#playedIn,
    };
  }

  #lengthenStall(now: number): void {
    const stall = this.#stalls.at(-1);
    if (stall !== undefined) this.#stalls = [...this.#stalls.slice(0, -1), { at: stall.at, duration: now - stall.at }];
  }
}

const hasEnded = ({ ended, duration, position }: Sample): boolean =>
  ended || (duration < LIVE_DURATION && position > duration - END_SECONDS);

/** Seconds that are in at least one of the ranges. */
export function unionLength(ranges: readonly Range[]): number {
  let total = 0;
  let reached = -Infinity;
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}
