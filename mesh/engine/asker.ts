/** One who asks for assets, a page or a service worker, by its own numbers. Owned by whoever carries its messages. */
import type { AssetQuestion } from '../../protocol/page.ts';
import type { Assets, LoadQuestion, Reply } from './assets.ts';
import type { Use } from './shared-transfers.ts';
import type { Reads, ReadsPorts } from './reads.ts';

/** Loads what gives assets piece by piece: a module of its own, for most pages ask for nothing that way. */
export type LoadReads = () => Promise<{ readonly Reads: typeof Reads }>;

export interface AskerPorts extends ReadsPorts {
  readonly assets: Pick<Assets, 'load' | 'read' | 'served' | 'brought'>;
  readonly loadReads: LoadReads;
  /** Hears of the bytes that are used. */
  readonly use: Use;
}

export class Asker {
  readonly #ports: AskerPorts;
  readonly #reply: Reply;
  readonly #loads = new Map<number, AbortController>();
  #reads: Promise<Reads | null> | null = null;
  #isClosed = false;

  constructor(ports: AskerPorts, reply: Reply) {
    this.#ports = ports;
    this.#reply = reply;
  }

  readonly ask = (question: AssetQuestion): void => {
    if (this.#isClosed) return;
    switch (question.type) {
      case 'load':
        return this.#load(question);
      case 'read':
        this.#reads ??= this.#loadReads();
        void this.#reads.then((reads) =>
          reads ? reads.read(question) : this.#reply({ type: 'pass', id: question.id }),
        );
        return;
      case 'brought':
        return void this.#ports.assets.brought(question, this.#ports.use);
      case 'served':
        return this.#ports.assets.served(question.digests, question.bytes, this.#ports.use);
      case 'pull':
        void this.#reads?.then((reads) => reads?.pull(question.id, question.bytes));
        return;
      case 'abort':
        this.#loads.get(question.id)?.abort();
        this.#loads.delete(question.id);
        void this.#reads?.then((reads) => reads?.abort(question.id));
        return;
      default:
        return question satisfies never;
    }
  };

  /** Who asked is gone: nobody waits for anything any more. */
  close(): void {
    this.#isClosed = true;
    for (const controller of this.#loads.values()) controller.abort();
    this.#loads.clear();
    void this.#reads?.then((reads) => reads?.close());
  }

  /** Null where it can't be loaded, which the next question tries again. */
  async #loadReads(): Promise<Reads | null> {
    try {
      const { Reads } = await this.#ports.loadReads();
      return new Reads(this.#ports, this.#reply);
    } catch {
      this.#reads = null;
      return null;
    }
  }

  #load(question: LoadQuestion): void {
    const controller = new AbortController();
    this.#loads.set(question.id, controller);
    const answer: Reply = (message) => {
      if (message.type !== 'progress') this.#loads.delete(question.id);
      this.#reply(message);
    };
    void this.#ports.assets.load(question, answer, controller.signal, this.#ports.use);
  }
}
