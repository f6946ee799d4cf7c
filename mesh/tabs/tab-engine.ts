/**
 * The engine as one tab sees it: its own, or that of the tab that leads. When another takes over, what is under way is asked for again. Owned by the
 * Mesh.
 */
import { P2PError } from '../../protocol/error.ts';
import {
  TABS_VERSION,
  type Alive,
  type EngineOptions,
  type FromTab,
  type Lead,
  type ToTab,
} from '../../protocol/page.ts';
import { Election } from './election.ts';
import { OpenQuestions } from './open-questions.ts';
import { OwnEngine } from './own-engine.ts';

export type PostToTabEngine = (message: FromTab, transfer?: Transferable[]) => void;

export interface TabEnginePorts {
  readonly options: EngineOptions;
  /** Can tabs find each other? A service worker introduces them. */
  readonly findsTabs: boolean;
  readonly receive: (message: ToTab) => void;
  /** From now on another engine works for this tab: it knows nothing of the ports that the one before was given, and counts anew. */
  readonly changed: () => void;
  /** There is no engine. */
  readonly failed: (error: P2PError) => void;
}

export class TabEngine {
  readonly #ports: TabEnginePorts;
  readonly #election: Election;
  readonly #questions: OpenQuestions;
  #shares: boolean;
  #own: Promise<OwnEngine | null> | null = null;
  /** Which engine works for us, our own or the one at the end of a port; null while there is none. */
  #current: OwnEngine | MessagePort | null = null;
  /** Said while there was none. */
  readonly #unsaid: [FromTab, Transferable[]][] = [];
  /** What was begun before the last change is not gone on with. */
  #changes = 0;
  #wasReady = false;
  #settle: (isThere: boolean) => void = () => undefined;
  #ready = new Promise<boolean>((resolve) => (this.#settle = resolve));

  constructor(ports: TabEnginePorts) {
    this.#ports = ports;
    this.#shares = ports.options.share;
    this.#questions = new OpenQuestions((message) => ports.receive(message));
    this.#election = new Election(engineName(ports.options), {
      lead: (lead) => void this.#useOwn(lead),
      deposed: () => this.#useNone(),
      follow: (port, alive) => this.#useLeaders(port, alive),
      alone: () => void this.#useOwn(null),
      undecided: () => void this.#useOwn('undecided'),
      admit: async (port, lock) => (await this.#own)?.postMessage({ type: 'tab', port, lock }, [port]),
    });
    if (this.#shares) this.#begin();
    else void this.#useOwn(null);
  }

  /** Resolves once there is an engine; false: it can run nowhere. */
  get ready(): Promise<boolean> {
    return this.#ready;
  }

  readonly post: PostToTabEngine = (message, transfer = []) => {
    const isRemembered = this.#questions.note(message);
    if (this.#current) this.#current.postMessage(this.#questions.asked(message), transfer);
    else if (!isRemembered) this.#unsaid.push([message, transfer]);
  };

  /** The viewer agrees. */
  share(): void {
    if (this.#shares) return;
    this.#shares = true;
    this.#begin();
  }

  /** For good: from now on everything comes from the origin. */
  leave(): void {
    this.#shares = false;
    this.#election.stop();
    if (this.#own) void this.#own.then((own) => own?.postMessage({ type: 'leave' }));
    else void this.#useOwn(null);
  }

  /** The page goes, perhaps into the back/forward cache. */
  hide(): void {
    if (!this.#shares) return;
    this.#changes++;
    // First of all, so that the next tab takes over.
    this.#election.stop();
    if (this.#own) void this.#own.then((own) => own?.leaveAtOnce());
    else this.#useNone();
  }

  /** It is back from there. */
  show(): void {
    if (this.#shares) this.#begin();
  }

  #begin(): void {
    if (this.#ports.findsTabs) this.#election.start();
    else void this.#useOwn(null);
  }

  /** @param lead null: for this tab alone; `undecided`: not in the mesh yet */
  async #useOwn(lead: Lead | null | 'undecided'): Promise<void> {
    const change = ++this.#changes;
    this.#own ??= this.#startOwn();
    const own = await this.#own;
    if (change !== this.#changes) return;
    if (!own) {
      this.#fail();
      return;
    }
    if (this.#shares && lead !== 'undecided') own.postMessage({ type: 'share', lead });
    if (this.#current !== own) this.#use(own);
  }

  async #startOwn(): Promise<OwnEngine | null> {
    try {
      // Whether it shares, and in whose place, is said then.
      const options = { ...this.#ports.options, share: false };
      return await OwnEngine.start(options, (message) => this.#questions.receive(message));
    } catch (error) {
      this.#ports.failed(error instanceof P2PError ? error : new P2PError('engine-failed', String(error)));
      return null;
    }
  }

  #useLeaders(port: MessagePort, alive: (resume: string | null) => void): void {
    this.#useNone();
    port.onmessage = ({ data }: MessageEvent<ToTab | Alive>) => {
      if (data.type === 'alive') alive(data.resume);
      else if (port === this.#current) this.#questions.receive(data);
    };
    this.#use(port);
  }

  #useNone(): void {
    this.#changes++;
    if (this.#current instanceof MessagePort) this.#current.close();
    void this.#own?.then((own) => own?.end());
    this.#own = this.#current = null;
  }

  #use(current: OwnEngine | MessagePort): void {
    if (this.#current instanceof MessagePort) this.#current.close();
    this.#current = current;
    for (const message of this.#questions.forAnother(current instanceof MessagePort)) current.postMessage(message);
    for (const [message, transfer] of this.#unsaid.splice(0)) current.postMessage(message, transfer);
    if (this.#wasReady) this.#ports.changed();
    this.#wasReady = true;
    this.#settle(true);
  }

  #fail(): void {
    this.#election.stop();
    this.#settle(false);
    this.#ready = Promise.resolve(false);
    this.#questions.fail();
  }
}

/** Tabs that want the same of an engine share one. Of several caps on the disk, which is theirs together, that of the tab that leads counts; but who wants nothing on it has that kept. */
export const engineName = (options: EngineOptions): string => {
  const { signal, manifest, upload, maxUpload, maxStorage, sharesUnverified, relayOnly, patterns } = options;
  const said = [signal, manifest, upload, maxUpload, patterns, maxStorage === 0, sharesUnverified, relayOnly];
  return `p2p-elements ${TABS_VERSION} ${JSON.stringify(said)}`;
};
