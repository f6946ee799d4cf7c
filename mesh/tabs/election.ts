/**
 * Which tab of a browser runs the engine: whoever holds a Web Lock. The others use its engine over a port that the service worker passes on, and
 * take over when it is gone. Owned by the TabEngine.
 */
import type { Lead } from '../../protocol/page.ts';
import type { ToServiceWorker } from '../../protocol/worker.ts';
import { activeWorker } from './active-worker.ts';
import type { Follower, Succession, TabNews } from './follow.ts';
import { holdLock } from './hold-lock.ts';
import { UNDECIDED_AFTER_MS } from './limits.ts';

export interface ElectionListener extends Follower {
  /** This tab is to run the engine for all. */
  lead(lead: Lead): void;
  /** Another tab took over: nothing more may go out from here. */
  deposed(): void;
  /** Tabs can't find each other here: each is a peer. */
  alone(): void;
  /** It is not settled yet which of these it is. */
  undecided(): void;
  /** Another tab wants to use our engine, until the lock of this name is free. Resolves when the engine has the port. */
  admit(port: MessagePort, lock: string): Promise<void>;
}

export class Election {
  readonly #name: string;
  readonly #listener: ElectionListener;
  #scope: AbortController | null = null;
  /** Locks of tabs that are being let in. */
  readonly #admitting = new Set<string>();

  /** @param name tabs of the same name share an engine */
  constructor(name: string, listener: ElectionListener) {
    this.#name = name;
    this.#listener = listener;
  }

  start(): void {
    this.stop();
    this.#scope = new AbortController();
    this.#begin(this.#scope.signal);
  }

  /** Gives up the lead, or the wish for it: the next tab takes over. */
  stop(): void {
    this.#scope?.abort();
    this.#scope = null;
  }

  /** Where the browser keeps nothing of this site, or the code for it can't be had, each tab is a peer. */
  #begin(signal: AbortSignal): void {
    this.#run(signal).catch(() => {
      if (!signal.aborted) this.#listener.alone();
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    // Typed as always there, but missing on plain HTTP.
    if (!(navigator.locks as LockManager | undefined)) {
      this.#listener.alone();
      return;
    }
    const lock = await holdLock(this.#name, { ifAvailable: true }, signal);
    if (signal.aborted) return;
    await (lock ? this.#lead({ lead: { epoch: Date.now(), resume: null }, lock }, signal) : this.#follow(signal));
  }

  async #lead({ lead, lock }: Succession, signal: AbortSignal): Promise<void> {
    const { epoch } = lead;
    const channel = new BroadcastChannel(this.#name);
    let isOver = false;
    const say = (): void => {
      if (!isOver && !signal.aborted) channel.postMessage({ type: 'leads', epoch } satisfies TabNews);
    };
    channel.onmessage = ({ data }: MessageEvent<TabNews>) => {
      if (data.type === 'follow') void this.#admit(data.client, data.lock, epoch, say);
    };
    signal.addEventListener('abort', () => channel.close());
    this.#listener.lead(lead);
    say();
    await lock.taken;
    isOver = true;
    channel.close();
    this.#listener.deposed();
    await this.#follow(signal);
  }

  /** A port is passed on once the engine has the other end; until then who asks again hears that this tab leads. Without a service worker of ours it is of no use to others, and says nothing. */
  async #admit(client: string, lock: string, epoch: number, say: () => void): Promise<void> {
    const worker = await activeWorker();
    if (!worker) return;
    say();
    if (this.#admitting.has(lock)) return;
    this.#admitting.add(lock);
    const { port1, port2 } = new MessageChannel();
    await this.#listener.admit(port1, lock);
    this.#admitting.delete(lock);
    worker.postMessage({ type: 'p2p-pass', client, lock, epoch } satisfies ToServiceWorker, [port2]);
  }

  /** The code for it comes only to who is not the first. */
  async #follow(signal: AbortSignal): Promise<void> {
    const succession = await this.#succession(signal);
    if (signal.aborted) return;
    if (succession) return this.#lead(succession, signal);
    this.#listener.alone();
    // A first visit has no service worker yet.
    const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    container?.addEventListener('controllerchange', () => this.#begin(signal), { once: true, signal });
  }

  /** Says meanwhile that it takes long, if it does. */
  async #succession(signal: AbortSignal): Promise<Succession | null> {
    const timer = setTimeout(() => signal.aborted || this.#listener.undecided(), UNDECIDED_AFTER_MS);
    const follower: Follower = {
      follow: (port, alive) => {
        clearTimeout(timer);
        this.#listener.follow(port, alive);
      },
    };
    try {
      const { follow } = await import('./follow.ts');
      return await follow(this.#name, follower, signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
