/** A tab that uses the engine of another one, and waits for its turn to lead. A module of its own, for most viewers have one tab. */
import type { Lead } from '../../protocol/page.ts';
import type { FromServiceWorker, ToServiceWorker } from '../../protocol/worker.ts';
import { TAB_ALIVE_EVERY_MS, TAB_SILENT_TICKS } from '../core/limits.ts';
import { activeWorker } from './active-worker.ts';
import { holdLock, type HeldLock } from './hold-lock.ts';
import { UNHEARD_TICKS, WHO_WAIT_MS } from './limits.ts';

export interface Follower {
  /** Another tab leads: this is the way to its engine. `alive` is to be told of each sign of life. */
  follow(port: MessagePort, alive: (resume: string | null) => void): void;
}

/** Between tabs, on a BroadcastChannel. */
export type TabNews =
  | { readonly type: 'leads'; readonly epoch: number }
  /** A tab, by its id as a client of the service worker, wants a way to the engine. `lock`: which it holds while it is there. */
  | { readonly type: 'follow'; readonly client: string; readonly lock: string };

/** What ended the time as a follower. */
export interface Succession {
  readonly lead: Lead;
  readonly lock: HeldLock;
}

/** Resolves when it is this tab's turn to lead; null: tabs can't find each other here, or the signal was aborted. */
export async function follow(name: string, listener: Follower, signal: AbortSignal): Promise<Succession | null> {
  const client = await whoAmI();
  if (client === null || signal.aborted) return null;
  return new Following(name, client, listener, signal).succession;
}

class Following {
  readonly succession: Promise<Succession | null>;
  readonly #name: string;
  readonly #client: string;
  readonly #listener: Follower;
  /** While this tab follows. */
  readonly #scope = new AbortController();
  readonly #outer: AbortSignal;
  readonly #channel: BroadcastChannel;
  /** Held while the tab is there. */
  readonly #lock: string;
  #lead: Lead = { epoch: 0, resume: null };
  /** Looks since the last sign of life. A look that comes late counts as one: the whole machine may have been busy. */
  #silentTicks = 0;
  #isConnected = false;
  /** Has an engine been heard? */
  #wasAlive = false;
  /** Of getting the lead. */
  readonly #attempts: AbortController[] = [];
  #resolve: (succession: Succession | null) => void = () => undefined;

  constructor(name: string, client: string, listener: Follower, signal: AbortSignal) {
    this.#name = name;
    this.#client = client;
    this.#listener = listener;
    this.#outer = signal;
    this.#lock = `${name} ${crypto.randomUUID()}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabNews>) => this.#hears(data);
    this.succession = new Promise((resolve) => (this.#resolve = resolve));
    const inner = this.#scope.signal;
    signal.addEventListener('abort', () => this.#end(null), { signal: inner });
    navigator.serviceWorker.addEventListener(
      'message',
      (event: MessageEvent<FromServiceWorker | undefined>) => this.#takes(event),
      { signal: inner },
    );
    navigator.serviceWorker.startMessages();
    this.#begin().catch(() => this.#end(null));
  }

  async #begin(): Promise<void> {
    const { signal } = this.#scope;
    await holdLock(this.#lock, {}, signal);
    if (signal.aborted) return;
    void this.#reachForLead({});
    const timer = setInterval(() => this.#look(), TAB_ALIVE_EVERY_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
    this.#ask();
  }

  #ask(): void {
    this.#channel.postMessage({ type: 'follow', client: this.#client, lock: this.#lock } satisfies TabNews);
  }

  #look(): void {
    if (!this.#isConnected) this.#ask();
    // Frozen, or it hangs: its lock would never be free.
    if (++this.#silentTicks === (this.#wasAlive ? TAB_SILENT_TICKS : UNHEARD_TICKS))
      void this.#reachForLead({ steal: true });
  }

  #hears(news: TabNews): void {
    if (news.type !== 'leads' || news.epoch < this.#lead.epoch) return;
    this.#silentTicks = 0;
    const isAnother = this.#lead.epoch > 0 && news.epoch > this.#lead.epoch;
    this.#lead = { ...this.#lead, epoch: news.epoch };
    if (!isAnother) return;
    this.#isConnected = false;
    this.#ask();
  }

  #takes({ data, ports: [port] }: MessageEvent<FromServiceWorker | undefined>): void {
    if (data?.type !== 'p2p-engine' || data.lock !== this.#lock || !port) return;
    // Of one that leads no more.
    if (data.epoch < this.#lead.epoch) return port.close();
    this.#lead = { ...this.#lead, epoch: data.epoch };
    this.#isConnected = true;
    this.#silentTicks = 0;
    this.#listener.follow(port, (resume) => {
      this.#silentTicks = 0;
      this.#wasAlive = true;
      this.#lead = { ...this.#lead, resume };
    });
  }

  async #reachForLead(how: { readonly steal?: true }): Promise<void> {
    const attempt = new AbortController();
    this.#attempts.push(attempt);
    const signal = AbortSignal.any([this.#outer, attempt.signal]);
    const lock = await holdLock(this.#name, how, signal).catch(() => null);
    if (!lock || this.#scope.signal.aborted) {
      attempt.abort();
      return;
    }
    for (const other of this.#attempts) if (other !== attempt) other.abort();
    const { epoch, resume } = this.#lead;
    this.#end({ lead: { epoch: Math.max(epoch + 1, Date.now()), resume }, lock });
  }

  #end(succession: Succession | null): void {
    this.#scope.abort();
    this.#channel.close();
    this.#resolve(succession);
  }
}

/** This page's id among the clients of the service worker; null: there is none that tells. */
async function whoAmI(): Promise<string | null> {
  const worker = await activeWorker();
  if (!worker) return null;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const answer = (id: string | null): void => {
      clearTimeout(timer);
      port1.close();
      resolve(id);
    };
    const timer = setTimeout(() => answer(null), WHO_WAIT_MS);
    port1.onmessage = ({ data }: MessageEvent<string>) => answer(data);
    worker.postMessage({ type: 'p2p-who' } satisfies ToServiceWorker, [port2]);
  });
}
