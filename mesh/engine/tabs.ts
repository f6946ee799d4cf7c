/** The tabs that use one engine: that of its own page, and others over a port each. Owned by whoever runs the engine. */
import { TAB_ALIVE_EVERY_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Alive, FromTab } from '../../protocol/page.ts';
import type { Engine, EngineNews } from './engine.ts';
import { Tab, type PostToTab } from './tab.ts';

interface OtherTab {
  readonly tab: Tab;
  readonly leave: () => void;
}

export class Tabs {
  readonly own: Tab;
  readonly #engine: Engine;
  readonly #clock: Clock;
  /** By the locks that they hold. */
  readonly #others = new Map<string, OtherTab>();
  #players = 0;

  constructor(engine: Engine, clock: Clock, post: PostToTab) {
    this.#engine = engine;
    this.#clock = clock;
    this.own = this.#tab(post);
  }

  /**
   * A tab that asks again, for it heard nothing, gives up its older port.
   * @param lock names the tab
   * @param gone resolves when it is there no more
   */
  admit(port: MessagePort, lock: string, gone: Promise<void>): void {
    const older = this.#others.get(lock);
    older?.leave();
    if (!older) void this.#revalidate();
    const post: PostToTab = (message, transfer = []) => port.postMessage(message, transfer);
    const tab = this.#tab(post);
    port.onmessage = ({ data }: MessageEvent<FromTab>) => tab.take(data);
    let cancel: () => void = () => undefined;
    const beat = (): void => {
      port.postMessage({ type: 'alive', resume: this.#engine.resume } satisfies Alive);
      cancel = this.#clock.after(TAB_ALIVE_EVERY_MS, beat);
    };
    const other: OtherTab = {
      tab,
      leave: () => {
        if (this.#others.get(lock) === other) this.#others.delete(lock);
        cancel();
        tab.close();
        port.close();
        this.#tellStats();
      },
    };
    this.#others.set(lock, other);
    beat();
    this.#tellStats();
    void gone.then(other.leave, other.leave);
  }

  tell(news: EngineNews): void {
    this.own.tell(news);
    for (const { tab } of this.#others.values()) tab.tell(news);
  }

  /** Another tab leads from now on: who wants anything asks there. */
  dismiss(): void {
    for (const { leave } of [...this.#others.values()]) leave();
  }

  async #revalidate(): Promise<void> {
    if (!(await this.#engine.revalidate())) return;
    for (const tab of [this.own, ...[...this.#others.values()].map((other) => other.tab)]) tab.tellShareable();
  }

  #tellStats(): void {
    this.tell({ type: 'stats', stats: this.#engine.stats });
  }

  #tab(post: PostToTab): Tab {
    return new Tab({
      engine: this.#engine,
      post,
      tabs: () => 1 + this.#others.size,
      newPlayer: () => ++this.#players,
    });
  }
}
