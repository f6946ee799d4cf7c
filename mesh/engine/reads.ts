/** Assets given piece by piece to who asks over one port: as much as was pulled, as soon as it is here. A module of its own, for many pages ask for nothing this way. */
import { AWAKE_EVERY_MS } from '../../protocol/limits.ts';
import { READ_LINGER_MS, UNREAD_FOR_MS, WAITING_TOLD_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Assets, Read, ReadQuestion, Reply } from './assets.ts';
import type { Use } from './shared-transfers.ts';
import { originFailed, statusOf } from './origin-door.ts';
import type { UnderWay } from './under-way.ts';

export interface ReadsPorts {
  readonly clock: Clock;
  readonly assets: Pick<Assets, 'read'>;
  /** Keeps who asks awake. */
  readonly awake: () => void;
  readonly use: Use;
}

export class Reads {
  readonly #ports: ReadsPorts;
  readonly #reply: Reply;
  readonly #open = new Map<number, Reading>();
  #isWaking = false;

  constructor(ports: ReadsPorts, reply: Reply) {
    this.#ports = ports;
    this.#reply = reply;
  }

  read(question: ReadQuestion): void {
    const { id } = question;
    const reading = new Reading(this.#ports, question, this.#reply, () => this.#open.delete(id));
    this.#open.set(id, reading);
    reading.pull(question.pull);
    if (!this.#isWaking) this.#wake();
  }

  /** So many bytes more may be given. */
  pull(id: number, bytes: number): void {
    this.#open.get(id)?.pull(bytes);
    if (!this.#isWaking) this.#wake();
  }

  abort(id: number): void {
    this.#open.get(id)?.leave();
    this.#open.delete(id);
  }

  /** Who asked is gone. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.abort(id);
  }

  /** As long as anything is read; what nobody takes keeps nobody awake. */
  #wake(): void {
    this.#isWaking = this.#isReading;
    if (!this.#isWaking) return;
    this.#ports.clock.after(AWAKE_EVERY_MS, () => {
      if (this.#isReading) this.#ports.awake();
      this.#wake();
    });
  }

  get #isReading(): boolean {
    return [...this.#open.values()].some(({ isTaking }) => isTaking);
  }
}

/** The bytes up to `end` may be given. */
interface Source {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

class Reading {
  readonly #ports: ReadsPorts;
  readonly #question: ReadQuestion;
  readonly #reply: Reply;
  readonly #ended: () => void;
  #position: number;
  #credit = 0;
  /** While it takes part in the asset's transfer. */
  #taking: AbortController | null = null;
  #underWay: UnderWay | null = null;
  #whole: Read | null = null;
  /** What was given is the origin's own answer, not checked yet. Null: nothing such was given. */
  #raw: Uint8Array<ArrayBuffer> | null = null;
  /** While nothing is owed: until it takes part no more. */
  #cancelRest: (() => void) | null = null;
  /** When it last said that it is waiting, on the clock. */
  #toldAt: number;

  constructor(ports: ReadsPorts, question: ReadQuestion, reply: Reply, ended: () => void) {
    this.#ports = ports;
    this.#question = question;
    this.#reply = reply;
    this.#ended = ended;
    this.#position = question.from;
    this.#toldAt = ports.clock.now();
  }

  /** Does it take part in a transfer? */
  get isTaking(): boolean {
    return this.#taking !== null;
  }

  pull(bytes: number): void {
    this.#credit += bytes;
    this.#awaken();
    if (this.#taking) this.#give();
    else void this.#take();
  }

  /** Takes part in the transfer no more. */
  leave(): void {
    this.#awaken();
    this.#taking?.abort();
    this.#taking = this.#underWay = this.#whole = null;
  }

  async #take(): Promise<void> {
    const { signal } = (this.#taking = new AbortController());
    // What was given unchecked is to be compared before more is.
    const question = this.#raw ? this.#question : { ...this.#question, from: this.#position };
    try {
      const { assets, use } = this.#ports;
      const read = await assets.read(question, (underWay) => this.#comes(underWay), signal, use);
      if (signal.aborted) return;
      this.#whole = read;
      if (read) this.#give();
      else this.#fail('pass');
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #comes(underWay: UnderWay): void {
    this.#underWay = underWay;
    if (this.#isForThePage(underWay)) return this.#fail('pass');
    this.#give();
    const now = this.#ports.clock.now();
    if (this.#credit <= 0 || now - this.#toldAt < WAITING_TOLD_MS) return;
    this.#toldAt = now;
    this.#reply({ type: 'progress', id: this.#question.id, loaded: 0, total: 0 });
  }

  /** Would the page do better by itself? Not once something was given. */
  #isForThePage({ withheld, leaves, leavesLate }: UnderWay): boolean {
    const { from, to, name } = this.#question;
    // What is not to be shared is perhaps for this viewer alone; and without block hashes nothing is known of a piece before all is here.
    return this.#position === from && (withheld || ((from > 0 || to < name.size) && leavesLate && !leaves));
  }

  #give(): void {
    const { id, to } = this.#question;
    while (this.#credit > 0 && this.#position < to) {
      const source = this.#source();
      if (source === 'torn')
        return this.#fail(
          this.#position === this.#question.from ? 'pass' : originFailed(this.#question.url, 'other bytes', 0),
        );
      if (!source) return;
      const bytes = source.bytes.slice(this.#position, Math.min(source.end, to, this.#position + this.#credit)).buffer;
      this.#position += bytes.byteLength;
      this.#credit -= bytes.byteLength;
      this.#reply({ type: 'chunk', id, bytes, checked: this.#raw === null });
    }
    if (this.#cancelRest) return;
    const isDone = this.#position >= to;
    if (isDone) this.#ended();
    this.#cancelRest = this.#ports.clock.after(isDone ? READ_LINGER_MS : UNREAD_FOR_MS, () => this.leave());
  }

  #awaken(): void {
    this.#cancelRest?.();
    this.#cancelRest = null;
  }

  /** Where the next bytes are; null: not here yet; `torn`: they are of another version than those that were given. */
  #source(): Source | 'torn' | null {
    const { from } = this.#question;
    const right = this.#checked(this.#raw ? from : this.#position);
    if (right && right.end > this.#position) {
      if (this.#raw && !isSame(this.#raw, right.bytes, from, this.#position)) return 'torn';
      this.#raw = null;
      return this.#checked(this.#position);
    }
    const raw = this.#unchecked();
    if (raw && raw.end > this.#position) {
      if (this.#raw && this.#raw.buffer !== raw.bytes.buffer && !isSame(this.#raw, raw.bytes, from, this.#position))
        return 'torn';
      this.#raw = raw.bytes;
      return raw;
    }
    return this.#whole ? 'torn' : null;
  }

  /** The origin's own answer, for who reads all of a file, or its first part: whatever else was given before, or will be after it, may be of another version. */
  #unchecked(): Source | null {
    const { name } = this.#question;
    if (!isAll(this.#question) || (this.#position > 0 && !this.#raw)) return null;
    if (this.#whole) return this.#whole.body.length === name.size ? { bytes: this.#whole.body, end: name.size } : null;
    // Before its end nobody knows whether it is longer than it should be: then it must not look whole.
    const bytes = this.#underWay?.arriving?.bytes;
    return bytes ? { bytes, end: Math.min(bytes.length, name.size - 1) } : null;
  }

  /** Checked bytes from there on. */
  #checked(start: number): Source | null {
    if (this.#whole?.isRight === true) return { bytes: this.#whole.body, end: this.#whole.body.length };
    return this.#underWay && { bytes: this.#underWay.body, end: this.#underWay.checkedUntil(start) };
  }

  #fail(why: unknown): void {
    const { id } = this.#question;
    this.leave();
    this.#ended();
    this.#reply(
      why === 'pass'
        ? { type: 'pass', id }
        : { type: 'failed', id, code: 'origin-failed', message: String(why), status: statusOf(why) },
    );
  }
}

/** Is all of a file read, or all of its first part? */
const isAll = ({ from, to, range, name }: ReadQuestion): boolean =>
  from === 0 && to === name.size && (range?.start ?? 0) === 0;

/** Are the bytes `[start, end)` the same in both? */
const isSame = (a: Uint8Array, b: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if (a[i] !== b[i]) return false;
  return true;
};
