/** The ports to the engines of all controlled pages, by client. Lost with each restart of the worker and asked for again. */
import type { FromServiceWorker } from '../protocol/worker.ts';
import { EnginePort } from './engine-port.ts';
import { PORT_WAIT_MS, UNVERIFIED_WAIT_MS } from './limits.ts';
import type { ShareableList } from './shareable-list.ts';

export class EnginePorts {
  readonly #clients: Clients;
  readonly #list: ShareableList;
  readonly #told: (url: string) => void;
  readonly #silent: () => void;
  readonly #ports = new Map<string, EnginePort>();
  readonly #waiting = new Map<string, Set<() => void>>();
  /** When a page without a port first asked, ms. */
  readonly #firstAsked = new Map<string, number>();

  /**
   * @param told the page at this URL has said what may be asked for
   * @param silent a page has the kit no more
   */
  constructor(clients: Clients, list: ShareableList, told: (url: string) => void, silent: () => void) {
    this.#clients = clients;
    this.#list = list;
    this.#told = told;
    this.#silent = silent;
  }

  /** A page gave its port. */
  connect(client: Client, port: MessagePort, unverified = false): void {
    const path = new URL(client.url).pathname;
    void this.#list.noteUnverified(path, unverified);
    const older = this.#ports.get(client.id);
    this.#ports.set(
      client.id,
      new EnginePort(
        port,
        (files) => void this.#list.update(path, files).then(() => this.#told(client.url)),
        unverified,
      ),
    );
    // What the older one was asked for goes on over the new one.
    older?.close();
    for (const wake of this.#waiting.get(client.id) ?? []) wake();
    void this.#forgetGone();
  }

  /**
   * The engine of a client. One that has none yet is waited for if its page had the kit before; null then means: ask the network. One that stayed silent has it no more, and its next visitors do not wait.
   * @param mayWait false for what the kit's own start may wait for
   */
  async find(clientId: string, mayWait: boolean): Promise<EnginePort | null> {
    const port = this.#ports.get(clientId);
    if (port || !mayWait) return port ?? null;
    const client = await this.#clients.get(clientId);
    if (!client) return null;
    const path = new URL(client.url).pathname;
    const now = performance.now();
    const first = this.#firstAsked.get(clientId) ?? now;
    const isFirst = !this.#firstAsked.has(clientId);
    this.#firstAsked.set(clientId, first);
    if (!this.#list.hasPage(path)) {
      if (isFirst) this.#isWithout(path);
      return null;
    }
    if ((this.#waiting.get(clientId)?.size ?? 0) === 0)
      client.postMessage({ type: 'p2p-port-please' } satisfies FromServiceWorker);
    await this.#connected(clientId, first + PORT_WAIT_MS - now);
    const given = this.#ports.get(clientId);
    // A page that was closed meanwhile says nothing about the kit.
    if (!given && (await this.#clients.get(clientId))) this.#isWithout(path);
    return given ?? null;
  }

  /** The same for what is not listed: null where the page does not let that be shared, or says so too late. */
  async findUnverified(clientId: string): Promise<EnginePort | null> {
    const there = this.#ports.get(clientId) ?? (await this.#soon(clientId));
    return there?.sharesUnverified === true ? there : null;
  }

  async #soon(clientId: string): Promise<EnginePort | null> {
    const client = await this.#clients.get(clientId);
    if (!client || !this.#list.sharesUnverified(new URL(client.url).pathname)) return null;
    const late = new Promise<null>((resolve) => setTimeout(resolve, UNVERIFIED_WAIT_MS, null));
    return Promise.race([this.find(clientId, true), late]);
  }

  #isWithout(path: string): void {
    void this.#list.pageWithoutKit(path).then(this.#silent);
  }

  #connected(clientId: string, wait: number): Promise<void> {
    if (wait <= 0 || this.#ports.has(clientId)) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(clientId) ?? new Set();
      this.#waiting.set(clientId, waiting);
      const wake = (): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, wait);
      waiting.add(wake);
    });
  }

  async #forgetGone(): Promise<void> {
    const alive = new Set((await this.#clients.matchAll({ includeUncontrolled: true })).map(({ id }) => id));
    for (const [id, port] of this.#ports) {
      if (alive.has(id)) continue;
      port.close();
      this.#ports.delete(id);
    }
    for (const map of [this.#waiting, this.#firstAsked])
      for (const id of map.keys()) if (!alive.has(id)) map.delete(id);
  }
}
