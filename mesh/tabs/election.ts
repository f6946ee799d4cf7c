/**
 * Which tab of a browser runs the engine: whoever holds a Web Lock. The others use its engine over a port that the service worker passes on, and
 * take over when it is gone. Owned by the TabEngine.
 */
import type { Lead } from '../../protocol/page.ts';
import type { ToServiceWorker } from '../../protocol/worker.ts';
import { activeWorker } from './active-worker.ts';
import type { Follower, Succession, TabNews } from './follow.ts';
import { holdLock } from './hold-lock.ts';

export interface ElectionListener extends Follower {
  /** This tab is to run the engine for all. */
  lead(lead: Lead): void;
  /** Another tab took over: nothing more may go out from here. */
  deposed(): void;
  /** Tabs can't find each other here: each is a peer. */
  alone(): void;
  /** Another tab wants to use our engine, until the lock of this name is free. */
  admit(port: MessagePort, lock: string): void;
}

export class Election {
  readonly #name: string;
  readonly #listener: ElectionListener;
  #scope: AbortController | null = null;

  /** @param name tabs of the same name share an engine */
  constructor(name: string, listener: ElectionListener) {
    this.#name = name;
    this.#listener = listener;
  }

  start(): void {
    this.stop();
    this.#scope = new AbortController();
    void this.#run(this.#scope.signal);
  }

  /** Gives up the lead, or the wish for it: the next tab takes over. */
  stop(): void {
    this.#scope?.abort();
    this.#scope = null;
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
    const say = (): void => channel.postMessage({ type: 'leads', epoch } satisfies TabNews);
    channel.onmessage = ({ data }: MessageEvent<TabNews>) => {
      if (data.type !== 'follow') return;
      say();
      void this.#admit(data.client, data.lock, epoch);
    };
    signal.addEventListener('abort', () => channel.close());
    this.#listener.lead(lead);
    say();
    await lock.taken;
    channel.close();
    this.#listener.deposed();
    await this.#follow(signal);
  }

  async #admit(client: string, lock: string, epoch: number): Promise<void> {
    const worker = await activeWorker();
    if (!worker) return;
    const { port1, port2 } = new MessageChannel();
    this.#listener.admit(port1, lock);
    worker.postMessage({ type: 'p2p-pass', client, name: this.#name, epoch } satisfies ToServiceWorker, [port2]);
  }

  /** The code for it comes only to who is not the first. */
  async #follow(signal: AbortSignal): Promise<void> {
    const succession = await import('./follow.ts').then(
      ({ follow }) => follow(this.#name, this.#listener, signal),
      () => null,
    );
    if (signal.aborted) return;
    if (succession) return this.#lead(succession, signal);
    this.#listener.alone();
    // A first visit has no service worker yet.
    const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    container?.addEventListener('controllerchange', () => void this.#run(signal), { once: true, signal });
  }
}
