/** Which rendition the next segment is of: decisions on plain data. */
import type { Held } from '../../protocol/page.ts';
import {
  BANDWIDTH_SHARE,
  CLIMB_HEADROOM,
  CRITICAL_BUFFER_S,
  FOLLOW_MS,
  HELD_RUN_SEGMENTS,
  LINE_HEADROOM,
  SHORT_BUFFER_S,
  STEP_UP_AFTER_MS,
} from './limits.ts';

/** One rendition, as the choice sees it. */
export interface RenditionView {
  /** Bits per second. */
  readonly bitrate: number;
  /** Who holds its next segments, the next one first. Empty: not known. */
  readonly held: readonly Held[];
  /** Would the player's own rules take it at all? Not one of other codecs, or that failed lately. Default true. */
  readonly usable?: boolean;
}

export interface RenditionQuestion {
  /** In the player's order: rising bitrate. */
  readonly renditions: readonly RenditionView[];
  /** What the player's own rules would choose. */
  readonly suggested: number;
  /** What is loaded now; null: nothing yet. */
  readonly current: number | null;
  readonly originReachable: boolean;
  /** Are there neighbours? */
  readonly inCompany: boolean;
  /** Bits per second that the site's line carries once of this stream; null: not known. */
  readonly lineRate: number | null;
  /** Bits per second in which segments arrived lately, from wherever they came. */
  readonly estimate: number;
  /** Seconds in the buffer ahead. */
  readonly ahead: number;
  /** The lowest and the highest index allowed. Default: any. */
  readonly floor?: number;
  readonly cap?: number;
  /** Milliseconds, of any origin. */
  readonly now: number;
}

/** What the choice remembers from one question to the next. */
export interface RenditionMemory {
  readonly current: number | null;
  /** Since when, ms. */
  readonly since: number;
  /** The most seconds in the buffer since this rendition was chosen. */
  readonly most: number;
  /** Since when the line carries a better one; null: it does not. */
  readonly headroomSince: number | null;
  /** When something was loaded first, ms; null: nothing yet. */
  readonly begunAt: number | null;
  /** How often it had to go down. */
  readonly falls: number;
}

export const NOTHING_REMEMBERED: RenditionMemory = {
  current: null,
  since: 0,
  most: 0,
  headroomSince: null,
  begunAt: null,
  falls: 0,
};

export interface RenditionChoice {
  readonly rendition: number;
  /** What follows it, from `turnOf` on. */
  readonly then: number;
  readonly memory: RenditionMemory;
}

/**
 * The rendition for the next segment, and the one after what the site has of it.
 *
 * A segment from a neighbour looks to the player like a line of 100 Mbit/s, so thirty players would climb to the top and drown the one line
 * they share. So the line decides: the best rendition that it carries once with headroom. Going up waits until the headroom has lasted, longer
 * after each fall, and then for the first segment that nobody has or brings: so all go up at the same one, for two renditions side by side are
 * what the line does not carry. Going down waits until the buffer is short, and is then at once. Where the line's rate is not known, the
 * player's own rules decide, but lean towards what the site already plays. Without an origin only what is held can be played.
 */
export function chooseRendition(question: RenditionQuestion, before = NOTHING_REMEMBERED): RenditionChoice {
  const memory = remember(question, before);
  const wanted = choose(question, memory);
  const rendition = mustFollow(question, wanted, memory) ? (question.current ?? wanted) : wanted;
  return { rendition, then: wanted, memory };
}

/** Counts what the question tells. The same question may come many times before the player does what it was told. */
function remember(question: RenditionQuestion, before: RenditionMemory): RenditionMemory {
  const { current, lineRate, ahead, now } = question;
  const same = current === before.current;
  const step = current === null || before.current === null ? 0 : current - before.current;
  const better = current !== null && lineRate !== null && bestOnLine(question) > current;
  return {
    current,
    since: same ? before.since : now,
    most: Math.max(ahead, same ? before.most : 0),
    headroomSince: better ? ((same ? before.headroomSince : null) ?? now) : null,
    begunAt: before.begunAt ?? (current === null ? null : now),
    falls: before.falls + (step < 0 ? 1 : 0),
  };
}

function choose(question: RenditionQuestion, memory: RenditionMemory): number {
  if (!question.originReachable) return longestHeld(question);
  if (question.current === null) return first(question);
  if (question.lineRate === null) return withoutLine(question, question.current, memory);
  return onLine(question, question.current, memory);
}

/** Nothing is loaded yet: what the site plays, else what the player would begin with, which is low. */
function first(question: RenditionQuestion): number {
  const played = longestRun(question, (index) => question.lineRate === null || isCarried(question, index));
  if (played !== undefined) return played;
  return question.lineRate === null ? question.suggested : Math.min(question.suggested, bestOnLine(question));
}

/**
 * The line's rate is not known. What neighbours deliver does not tell it, so in company nobody climbs far on that: to what the site plays,
 * else one step at a time, for small segments may never tell the rate and larger ones do.
 */
function withoutLine(question: RenditionQuestion, current: number, { since }: RenditionMemory): number {
  const { renditions, suggested, estimate, inCompany, now } = question;
  if (suggested < current || !inCompany) return suggested;
  const isAffordable = (index: number): boolean =>
    (renditions[index]?.bitrate ?? Infinity) <= BANDWIDTH_SHARE * estimate;
  const played = longestRun(question, (index) => index === current || (index > current && isAffordable(index)));
  if (played !== undefined && played !== current) return played;
  const above = allowed(question).find((index) => index > current) ?? current;
  return now < since + STEP_UP_AFTER_MS ? current : Math.min(suggested, above);
}

function onLine(question: RenditionQuestion, current: number, memory: RenditionMemory): number {
  const { lineRate, estimate, ahead, floor = 0, cap = Infinity } = question;
  const bitrate = question.renditions[current]?.bitrate ?? Infinity;
  const best = bestOnLine(question);
  if (current < floor || current > cap) return best;
  const overLine = bitrate > (lineRate ?? Infinity) && ahead < SHORT_BUFFER_S;
  if (overLine && best < current) return best;
  const runsDry = estimate < bitrate && ahead < Math.min(CRITICAL_BUFFER_S, memory.most / 2);
  if (runsDry) return Math.min(current, bestWithin(question, BANDWIDTH_SHARE * estimate, best));
  return best > current && mayClimb(question, current, best, memory) ? leaning(question, current, best) : current;
}

/**
 * Of the coming segments the first that is of the rendition that follows: the first that the site has of that one, or that nobody has or brings
 * of this one. All at a site see the same, so all turn at the same segment.
 * @param held who holds the next segments of this rendition; the next one itself is asked for already
 */
export function turnOf(held: readonly Held[], heldOfThen: readonly Held[]): number {
  const turn = held.findIndex((by, index) => index > 0 && (by === 'nobody' || isHere(heldOfThen[index])));
  return turn < 0 ? held.length : turn;
}

function mayClimb(question: RenditionQuestion, current: number, best: number, memory: RenditionMemory): boolean {
  const { renditions, lineRate, estimate, ahead, now } = question;
  const bitrate = renditions[best]?.bitrate ?? Infinity;
  // A buffer that is full enough proves delivery as well as a rate does, and outlasts the change where the line has not much to spare.
  if (ahead < SHORT_BUFFER_S && Math.min(estimate, (lineRate ?? 0) / CLIMB_HEADROOM) < bitrate) return false;
  return now >= climbsAt(memory);
}

/** From when on the headroom has lasted for long enough. What it begins with is a guess, and so is the first word on the line: it need not last at first. */
function climbsAt({ headroomSince, begunAt, falls }: RenditionMemory): number {
  if (headroomSince === null || begunAt === null) return Infinity;
  const settles = falls === 0 && headroomSince < begunAt + STEP_UP_AFTER_MS;
  return settles ? headroomSince : headroomSince + STEP_UP_AFTER_MS * 2 ** Math.min(falls, 10);
}

/** The next segment has crossed the line already, and not in the better rendition that the line carries. Who is behind the others may find many such. */
function mustFollow(
  { renditions, current, lineRate, originReachable, floor = 0, now }: RenditionQuestion,
  wanted: number,
  memory: RenditionMemory,
): boolean {
  if (current === null || wanted <= current || current < floor || lineRate === null || !originReachable) return false;
  return (
    isHere(renditions[current]?.held[0]) && !isHere(renditions[wanted]?.held[0]) && now < climbsAt(memory) + FOLLOW_MS
  );
}

/** The best, unless the site plays another one on the way there. */
function leaning(question: RenditionQuestion, current: number, best: number): number {
  if (isPlayed(question.renditions[best])) return best;
  return longestRun(question, (index) => index > current && index < best) ?? best;
}

/** The best allowed rendition that the line carries once with headroom; if it carries none, the lowest. */
const bestOnLine = (question: RenditionQuestion): number =>
  bestWithin(question, (question.lineRate ?? 0) / LINE_HEADROOM);

function bestWithin(question: RenditionQuestion, bitrate: number, cap = Infinity): number {
  const all = allowed(question).filter((index) => index <= cap);
  return all.filter((index) => (question.renditions[index]?.bitrate ?? Infinity) <= bitrate).at(-1) ?? all[0] ?? 0;
}

const isCarried = ({ renditions, lineRate }: RenditionQuestion, index: number): boolean =>
  (renditions[index]?.bitrate ?? Infinity) * LINE_HEADROOM <= (lineRate ?? 0);

function allowed({ renditions, floor = 0, cap = Infinity, current }: RenditionQuestion): number[] {
  const indices = renditions.flatMap(({ usable = true }, index) => (usable || index === current ? [index] : []));
  const within = indices.filter((index) => index >= floor && index <= cap);
  return within.length > 0 ? within : indices;
}

/** Does a segment need no line any more? */
const isHere = (held: Held | undefined): boolean => held !== undefined && held !== 'nobody';

/** Is its next segment held at a neighbour, or on its way to the site? */
const isPlayed = (rendition: RenditionView | undefined): boolean =>
  rendition?.held[0] === 'neighbour' || rendition?.held[0] === 'coming';

/** Of the allowed renditions that the site plays, the one with the longest run ahead; of several the best. */
function longestRun(question: RenditionQuestion, admits: (index: number) => boolean): number | undefined {
  const played = allowed(question).filter((index) => admits(index) && isPlayed(question.renditions[index]));
  const runOf = (index: number): number => heldRun(question.renditions[index]?.held ?? []);
  const longest = Math.max(...played.map(runOf));
  return played.filter((index) => runOf(index) === longest).at(-1);
}

/**
 * The origin is gone: the rendition with the longest run of held segments ahead, and of several the best one that neighbours deliver in time
 * (what is in the store needs no line). When nobody holds anything, the suggestion stands: it is as good a way to wait as any.
 */
function longestHeld({ renditions, suggested, estimate, cap = Infinity }: RenditionQuestion): number {
  const isAffordable = ({ bitrate, held }: RenditionView): boolean =>
    held[0] === 'store' || bitrate <= BANDWIDTH_SHARE * estimate;
  const candidates = renditions
    .map((rendition, index) => ({ index, run: heldRun(rendition.held), affordable: isAffordable(rendition) }))
    .filter(({ index, run }) => index <= cap && run > 0);
  const longest = Math.max(0, ...candidates.map(({ run }) => run));
  const best = candidates.filter(({ run }) => run === longest);
  const affordable = best.filter((candidate) => candidate.affordable);
  return affordable.at(-1)?.index ?? best[0]?.index ?? suggested;
}

/** Held segments from the next one on, counted no further than what makes a difference. */
function heldRun(held: readonly Held[]): number {
  const next = held.slice(0, HELD_RUN_SEGMENTS);
  const missing = next.indexOf('nobody');
  const run = missing < 0 ? next.length : missing;
  // At the end of the stream fewer segments are left than a full run has; holding all of them is as good.
  return run > 0 && run === held.length ? HELD_RUN_SEGMENTS : run;
}
