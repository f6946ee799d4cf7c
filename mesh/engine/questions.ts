/** What we asked one neighbour for and what came of it. Owned by a Neighbour. */
import type { Digest } from '../../protocol/ids.ts';
import type { PeerMessage } from '../../protocol/peer-message.ts';
import type { Run } from '../core/block-table.ts';
import { SILENCE_TICK_MS, SLOW_BLOCK_MS } from '../core/limits.ts';
import { isTooSlow, patience } from '../core/patience.ts';
import type { Clock } from '../core/ports.ts';

/** How a question ended. `slow`: at its pace it would come too late. `lied`: what came does not belong to the asset. */
export type Outcome = 'done' | 'refused' | 'busy' | 'silent' | 'slow' | 'gone' | 'aborted' | 'lied';

/** Who asks gets the content here, unchecked, and says whether it was right. */
export interface ContentSink {
  leaves(size: number, untrustedLeaves: Uint8Array<ArrayBuffer>): Promise<boolean>;
  block(index: number, untrustedBlock: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/** What a neighbour is asked for. */
export interface BlockQuestion {
  readonly digest: Digest;
  readonly run: Run;
  /** Are the leaves wanted, before the blocks? */
  readonly leaves: boolean;
  /** When the asset is needed, on the clock; Infinity: not known. */
  readonly neededAt: number;
  readonly sink: ContentSink;
  readonly signal: AbortSignal;
}

interface Question {
  readonly due: Set<number>;
  leavesDue: boolean;
  checking: number;
  readonly neededAt: number;
  readonly sink: ContentSink;
  readonly settle: (outcome: Outcome) => void;
}

type Answer = Extract<PeerMessage, { type: 'leaves' | 'block' | 'refuse' }>;

export class Questions {
  readonly #clock: Clock;
  readonly #send: (message: PeerMessage) => void;
  readonly #open = new Map<number, Question>();
  #last = 0;
  #silentFor = 0;
  /** Since a whole answer came, ms. */
  #answerFor = 0;
  /** Since the first of the open questions was asked, ms, and blocks that came in this time. */
  #openFor = 0;
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
    for (const question of this.#open.values()) due += question.due.size;
    return due;
  }

  /** Asks for a run of blocks and, if wanted, for the leaves before them. */
  ask({ digest, run, leaves, neededAt, sink, signal }: BlockQuestion): Promise<Outcome> {
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
      const due = new Set(Array.from({ length: run.count }, (_, i) => run.first + i));
      this.#open.set(request, { due, leavesDue: leaves, checking: 0, neededAt, sink, settle });
      signal.addEventListener('abort', abort);
      this.#startWatch();
      this.#send({ type: 'request', request, digest, first: run.first, count: run.count, leaves });
    });
  }

  /** Bytes of an answer moved; false if nobody waits for it any more. */
  progress(request: number): boolean {
    if (!this.#open.has(request)) return false;
    this.#silentFor = 0;
    this.#proven = true;
    return true;
  }

  /** Takes an answer. One that nobody waits for any more is ignored: it crossed our cancel. */
  answer(message: Answer): void {
    const question = this.#open.get(message.request);
    if (!question) return;
    this.#answerFor = 0;
    if (message.type === 'block') this.#blocks++;
    switch (message.type) {
      case 'refuse':
        return question.settle(message.reason === 'busy' ? 'busy' : 'refused');
      case 'leaves':
        if (!question.leavesDue) return;
        question.leavesDue = false;
        return this.#check(question, question.sink.leaves(message.size, message.untrustedLeaves));
      case 'block':
        if (!question.due.delete(message.index)) return;
        return this.#check(question, question.sink.block(message.index, message.untrustedBlock));
      default:
        return message satisfies never;
    }
  }

  /** Ends all questions: the neighbour is gone. */
  close(outcome: 'gone' | 'lied'): void {
    for (const question of [...this.#open.values()]) question.settle(outcome);
  }

  #check(question: Question, verdict: Promise<boolean>): void {
    question.checking++;
    void verdict.then((right) => {
      question.checking--;
      if (!right) question.settle('lied');
      else if (question.due.size === 0 && !question.leavesDue && question.checking === 0) question.settle('done');
    });
  }

  #startWatch(): void {
    if (this.#cancelTick) return;
    this.#silentFor = this.#answerFor = this.#openFor = this.#blocks = 0;
    const tick = (): void => {
      this.#silentFor += SILENCE_TICK_MS;
      this.#answerFor += SILENCE_TICK_MS;
      this.#openFor += SILENCE_TICK_MS;
      this.#cancelTick = this.#clock.after(SILENCE_TICK_MS, tick);
      this.#endSilent();
    };
    this.#cancelTick = this.#clock.after(SILENCE_TICK_MS, tick);
  }

  #endSilent(): void {
    const now = this.#clock.now();
    const silent = [...this.#open.values()].filter(
      ({ neededAt }) => this.#answerFor >= SLOW_BLOCK_MS || this.#silentFor >= patience(neededAt - now, this.#proven),
    );
    if (silent.length > 0) this.#proven = false;
    for (const question of silent) question.settle('silent');
    const pace = { blocks: this.#blocks, openFor: this.#openFor, due: this.blocksDue };
    for (const question of [...this.#open.values()])
      if (isTooSlow(pace, question.neededAt - now)) question.settle('slow');
  }

  #stopWatch(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
  }
}
