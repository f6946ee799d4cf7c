/** What a tab has told its engine and another would have to know: questions without an answer, players' windows, swarms. Owned by the TabEngine. */
import type { FromTab, ToTab } from '../../protocol/page.ts';

type Said<T extends FromTab['type']> = Extract<FromTab, { readonly type: T }>;

interface Open {
  readonly question: Said<'load' | 'held' | 'files' | 'clear'>;
  readonly since: number;
  /** What came of it in chunks, for the engine that is asked next. */
  readonly chunks: ArrayBuffer[];
  leaves: ArrayBuffer | null;
  /** Bytes of it in all chunks, and in those of the engine that is asked now. */
  given: number;
  came: number;
  /** Has the tab bytes of an engine before? */
  isContinued: boolean;
}

export class OpenQuestions {
  readonly #receive: (message: ToTab) => void;
  /** Is the engine another tab's, which may go at any time? */
  #isLent = false;
  readonly #open = new Map<number, Open>();
  readonly #windows = new Map<number, Said<'window'>>();
  /** Swarms by their names, and the token. */
  readonly #said = new Map<string, Said<'join' | 'token'>>();

  /** @param receive what the tab is to hear */
  constructor(receive: (message: ToTab) => void) {
    this.#receive = receive;
  }

  /** @returns whether the next engine will be told, if there is none now */
  note(message: FromTab): boolean {
    switch (message.type) {
      case 'load':
      case 'held':
      case 'files':
      case 'clear':
        this.#open.set(message.id, {
          question: message,
          since: performance.now(),
          chunks: [],
          leaves: null,
          given: 0,
          came: 0,
          isContinued: false,
        });
        return true;
      case 'abort':
        this.#open.delete(message.id);
        return true;
      case 'window':
        if (message.assets.length > 0) this.#windows.set(message.player, message);
        else this.#windows.delete(message.player);
        return true;
      case 'join':
        this.#said.set(message.swarm, message);
        return true;
      case 'token':
        this.#said.set('', message);
        return true;
      case 'read':
      case 'pull':
      case 'brought':
      case 'served':
      case 'keep':
      case 'seen':
      case 'played':
      case 'port':
        return false;
      default:
        return message satisfies never;
    }
  }

  /**
   * What an engine is to be told that knows nothing of it.
   * @param isLent is it another tab's, which may go at any time?
   */
  forAnother(isLent: boolean): FromTab[] {
    this.#isLent = isLent;
    const now = performance.now();
    const questions = [...this.#open.values()].map((open) => {
      open.came = 0;
      open.isContinued = open.given > 0;
      return this.asked(again(open, now - open.since));
    });
    return [...this.#said.values(), ...this.#windows.values(), ...questions];
  }

  /** As the engine is asked: what one that may go has given is kept for the next. */
  asked(message: FromTab): FromTab {
    const isSpare = this.#isLent && message.type === 'load' && message.streamed !== true;
    return isSpare ? { ...message, streamed: 'spare' } : message;
  }

  /** Passes on what the engine says. Chunks that the tab had of the engine before are left out. */
  receive(message: ToTab): void {
    switch (message.type) {
      case 'loaded':
      case 'pass':
      case 'failed':
      case 'files':
      case 'held': {
        const open = this.#open.get(message.id);
        if (!open) return;
        this.#open.delete(message.id);
        this.#receive(message.type === 'loaded' && !message.shared && isTorn(open) ? torn(message.id) : message);
        return;
      }
      case 'progress': {
        const open = this.#open.get(message.id);
        if (!open) return;
        const { loaded, total } = message;
        open.leaves ??= message.leaves ?? null;
        const fresh = message.chunk && newOf(open, message.chunk);
        const isWanted = open.question.type === 'load' && open.question.streamed === true;
        if (fresh && this.#isLent) open.chunks.push(isWanted ? fresh.slice(0) : fresh);
        this.#receive({ type: 'progress', id: message.id, loaded, total, chunk: isWanted ? fresh : undefined });
        return;
      }
      case 'chunk':
      case 'stats':
      case 'peer':
      case 'warning':
      case 'stay-awake':
        return this.#receive(message);
      default:
        return message satisfies never;
    }
  }

  /** There is no engine any more. */
  fail(): void {
    for (const id of [...this.#open.keys()])
      this.receive({ type: 'failed', id, code: 'engine-failed', message: 'There is no engine any more.', status: 0 });
  }
}

/** The same question, later. */
function again({ question, chunks, leaves }: Open, waited: number): Open['question'] {
  if (question.type !== 'load') return question;
  const { deadline } = question;
  return {
    ...question,
    deadline: deadline === null ? null : Math.max(0, deadline - waited),
    age: waited,
    ...(leaves && { begun: { bytes: chunks, leaves } }),
  };
}

/** What this engine has from the origin unchecked may be of another version than what the tab has already. */
const isTorn = ({ question, isContinued }: Open): boolean =>
  isContinued && question.type === 'load' && question.streamed === true;

const torn = (id: number): ToTab => ({
  type: 'failed',
  id,
  code: 'origin-failed',
  message: 'The origin gives other bytes than those that came first.',
  status: 0,
});

/** What of a chunk the tab does not have yet. */
function newOf(open: Open, chunk: ArrayBuffer): ArrayBuffer | undefined {
  const start = open.came;
  open.came += chunk.byteLength;
  if (open.came <= open.given) return undefined;
  const rest = start < open.given ? chunk.slice(open.given - start) : chunk;
  open.given = open.came;
  return rest;
}
