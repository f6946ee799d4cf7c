/** What we asked one neighbour for and what came of it. Owned by a Neighbour. */
import type { Digest } from '../../protocol/ids.ts';
import type { PeerMessage } from '../../protocol/peer-message.ts';
import { blocksOf, type Asked } from '../core/block-table.ts';
import { OUTSIDE_SILENCE_MS, SILENCE_TICK_MS, SLOW_BLOCK_MS } from '../core/limits.ts';
import { followPatience, isCrossingTooSlow, isTooSlow, patience, type Pace } from '../core/patience.ts';
import type { Clock } from '../core/ports.ts';

/**
 * How a question ended. `later`: it is on its way to the neighbour, which hands it on when it is whole. `slow`: at its pace it would come
 * too late. `lied`: what came does not belong to the asset.
 */
export type Outcome = 'done' | 'refused' | 'busy' | 'later' | 'silent' | 'slow' | 'gone' | 'aborted' | 'lied';

/** Who asks gets the content here, unchecked, and says whether it was right. */
export interface ContentSink {
  leaves(size: number, untrustedLeaves: Uint8Array<ArrayBuffer>): Promise<boolean>;
  block(index: number, untrustedBlock: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/** What a neighbour is asked for. */
export interface BlockQuestion {
  readonly digest: Digest;
  readonly asked: Asked;
  /** Are the leaves wanted, before the blocks? */
  readonly leaves: boolean;
  /** When the asset is needed, on the clock; Infinity: not known. */
  readonly neededAt: number;
  /** The neighbour has the asset under way itself, and so many hops from who crosses; null: it holds it. */
  readonly hops: number | null;
  /** Is it at another site, where many may share one slow line? */
  readonly outside: boolean;
  /** Is one that hands it on far too slowly borne? */
  readonly patient: boolean;
  /** How many that had it under way gave nothing before. */
  readonly doubts: number;
  /** How long one that holds it and gave nothing yet may be silent, ms. */
  readonly silence: number;
  readonly sink: ContentSink;
  readonly signal: AbortSignal;
}

/** One that is open. */
interface Question extends Omit<BlockQuestion, 'hops' | 'leaves'> {
  hops: number | null;
  /** Are the leaves still to come? */
  leaves: boolean;
  /** It found another source meanwhile, for which we waited once more. */
  wasRenewed: boolean;
  /** Blocks that came, ms since it was asked, of which until the first block, ms since the last byte. */
  blocks: number;
  openFor: number;
  firstAfter: number;
  silentFor: number;
  /** Since something came that was due to it, or to one asked before it, ms. */
  answerFor: number;
  /** Blocks that may come, and how many of them will. */
  readonly due: Set<number>;
  left: number;
  checking: number;
  readonly settle: (outcome: Outcome) => void;
}

type Answer = Extract<PeerMessage, { type: 'leaves' | 'block' | 'refuse' }>;

export class Questions {
  readonly #clock: Clock;
  readonly #send: (message: PeerMessage) => void;
  readonly #open = new Map<number, Question>();
  #last = 0;
  #silentFor = 0;
  /** Since the first of the open questions was asked, ms, of which until its first block, and blocks that came in this time. */
  #openFor = 0;
  #firstAfter = 0;
  #blocks = 0;
  /** Did it give bytes since it last fell silent? */
  #proven = false;
  #cancelTick: (() => void) | null = null;

  constructor(clock: Clock, send: (message: PeerMessage) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Blocks that are still to come: the neighbour's load as far as we know. */
  get blocksDue(): number {
    let due = 0;
    for (const { left, hops } of this.#open.values()) due += hops === null ? left : 0;
    return due;
  }

  /** Asks for blocks and, if wanted, for the leaves before them. */
  ask(question: BlockQuestion): Promise<Outcome> {
    const { digest, asked, leaves, hops, signal } = question;
    if (signal.aborted) return Promise.resolve('aborted');
    const request = ++this.#last;
    return new Promise((resolve) => {
      const abort = (): void => settle('aborted');
      const settle = (outcome: Outcome): void => {
        if (!this.#open.delete(request)) return;
        signal.removeEventListener('abort', abort);
        if (outcome === 'aborted' || outcome === 'silent' || outcome === 'slow')
          this.#send({ type: 'cancel', request });
        if (this.#open.size === 0) this.#stopWatch();
        resolve(outcome);
      };
      const due = new Set(blocksOf(asked));
      if (hops === null && this.blocksDue === 0) this.#resetWatch();
      this.#open.set(request, {
        ...question,
        wasRenewed: false,
        blocks: 0,
        openFor: 0,
        firstAfter: 0,
        silentFor: 0,
        answerFor: 0,
        due,
        left: 'oneOf' in asked ? 1 : due.size,
        checking: 0,
        settle,
      });
      signal.addEventListener('abort', abort);
      this.#startWatch();
      if ('oneOf' in asked) this.#send({ type: 'pick', request, digest, blocks: asked.oneOf, leaves });
      else this.#send({ type: 'request', request, digest, first: asked.first, count: asked.count, leaves });
    });
  }

  /** Bytes of an answer moved; false if nobody waits for it any more. */
  progress(request: number): boolean {
    const question = this.#open.get(request);
    if (!question) return false;
    question.silentFor = 0;
    this.#silentFor = 0;
    this.#proven = true;
    return true;
  }

  /** The neighbour is nearer to who crosses than it was: it lost its source and has another. It is given the time for that once. */
  renewed(digest: Digest, hops: number): void {
    for (const question of this.#open.values()) {
      if (question.digest !== digest || question.hops === null || hops >= question.hops || question.wasRenewed)
        continue;
      question.hops = hops;
      question.wasRenewed = true;
      question.silentFor = 0;
    }
  }

  /** Takes an answer. One that nobody waits for any more is ignored: it crossed our cancel. */
  answer(message: Answer): void {
    const question = this.#open.get(message.request);
    if (!question) return;
    switch (message.type) {
      case 'refuse':
        return question.settle(message.reason === 'not-held' ? 'refused' : message.reason);
      case 'leaves':
        if (!question.leaves) return;
        question.leaves = false;
        this.#answered(message.request, question);
        return this.#check(question, question.sink.leaves(message.size, message.untrustedLeaves));
      case 'block':
        if (question.left === 0 || !question.due.delete(message.index)) return;
        question.left--;
        this.#answered(message.request, question);
        if (question.blocks++ === 0) question.firstAfter = question.openFor;
        if (question.hops === null && this.#blocks++ === 0) this.#firstAfter = this.#openFor;
        return this.#check(question, question.sink.block(message.index, message.untrustedBlock));
      default:
        return message satisfies never;
    }
  }

  /** Ends all questions: the neighbour is gone. */
  close(outcome: 'gone' | 'lied'): void {
    for (const question of [...this.#open.values()]) question.settle(outcome);
  }

  /** Something came that was due. Questions for what a neighbour holds are served in order, so those behind have been waiting for this one. */
  #answered(request: number, question: Question): void {
    question.answerFor = 0;
    if (question.hops !== null) return;
    for (const [other, behind] of this.#open) if (behind.hops === null && other > request) behind.answerFor = 0;
  }

  #check(question: Question, verdict: Promise<boolean>): void {
    question.checking++;
    void verdict.then((right) => {
      question.checking--;
      if (!right) question.settle('lied');
      else if (question.left === 0 && !question.leaves && question.checking === 0) question.settle('done');
    });
  }

  #startWatch(): void {
    if (this.#cancelTick) return;
    const tick = (): void => {
      this.#silentFor += SILENCE_TICK_MS;
      this.#openFor += SILENCE_TICK_MS;
      for (const question of this.#open.values()) {
        question.openFor += SILENCE_TICK_MS;
        question.silentFor += SILENCE_TICK_MS;
        question.answerFor += SILENCE_TICK_MS;
      }
      this.#cancelTick = this.#clock.after(SILENCE_TICK_MS, tick);
      this.#endSilent();
    };
    this.#cancelTick = this.#clock.after(SILENCE_TICK_MS, tick);
  }

  #resetWatch(): void {
    this.#silentFor = this.#openFor = this.#firstAfter = this.#blocks = 0;
  }

  #endSilent(): void {
    const now = this.#clock.now();
    const silent = [...this.#open.values()].filter((question) => this.#isSilent(question, now));
    if (silent.some(({ hops }) => hops === null)) this.#proven = false;
    for (const question of silent) question.settle('silent');
    const pace = paceOf(this.#blocks, this.#openFor, this.#firstAfter, this.blocksDue);
    for (const question of [...this.#open.values()]) if (isSlow(question, pace, now)) question.settle('slow');
  }

  #isSilent(question: Question, now: number): boolean {
    const { hops, outside, doubts, silence, silentFor, answerFor, neededAt } = question;
    if (outside) return silentFor >= OUTSIDE_SILENCE_MS;
    if (hops === null)
      return answerFor >= SLOW_BLOCK_MS || this.#silentFor >= patience(neededAt - now, this.#proven, silence);
    const borne = followPatience({ ...question, hops });
    return silentFor >= borne || answerFor >= borne + SLOW_BLOCK_MS / 2 ** doubts;
  }

  #stopWatch(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
  }
}

/** @param pace of what the neighbour holds, all together; what it has under way comes at a pace of its own */
function isSlow({ hops, outside, patient, neededAt, ...question }: Question, pace: Pace, now: number): boolean {
  if (outside) return false; // Who asks several sees how fast they are together.
  if (hops === null) return isTooSlow(pace, neededAt - now);
  const { blocks, openFor, firstAfter, left } = question;
  return !patient && isCrossingTooSlow(paceOf(blocks, openFor, firstAfter, left), neededAt - now, hops);
}

/** From the first block on: until then it may have waited for somebody else, who failed, or served others. */
const paceOf = (blocks: number, openFor: number, firstAfter: number, due: number): Pace => ({
  blocks: blocks - 1,
  openFor: openFor - firstAfter,
  due,
});
