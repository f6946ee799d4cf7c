/** One tab that the engine works for: its questions, its players, its share of the bytes. Owned by whoever carries its messages. */
import type { Digest } from '../../protocol/ids.ts';
import type { AssetQuestion, FromTab, PortMessage, TabStats, ToTab } from '../../protocol/page.ts';
import type { Asker } from './asker.ts';
import type {} from './assets.ts';
import type { Use } from './shared-transfers.ts';
import type { Engine, EngineNews } from './engine.ts';

/** Sends a message to the tab and gives it what is to be transferred. */
export type PostToTab = (message: ToTab, transfer?: Transferable[]) => void;

export interface TabPorts {
  readonly engine: Engine;
  readonly post: PostToTab;
  /** How many tabs use the engine. */
  readonly tabs: () => number;
  /** Players of all tabs have numbers of their own. */
  readonly newPlayer: () => number;
}

export class Tab {
  readonly #ports: TabPorts;
  readonly #asker: Asker;
  readonly #players = new Map<number, number>();
  readonly #bytes = { origin: 0, peers: 0, store: 0 };
  readonly #uploadedBefore: number;
  readonly #use: Use = (source, bytes) => {
    this.#bytes[source] += bytes;
  };
  #closeDoor: () => void = () => undefined;

  constructor(ports: TabPorts) {
    const { engine, post } = ports;
    this.#ports = ports;
    this.#asker = engine.asker((answer) => post(answer, bodyOf(answer)), this.#use);
    this.#uploadedBefore = engine.stats.bytes.uploaded;
  }

  take(message: FromTab): void {
    const { engine } = this.#ports;
    switch (message.type) {
      case 'load':
      case 'read':
      case 'pull':
      case 'served':
      case 'abort':
        return this.#asker.ask(message);
      case 'join':
        return engine.join(message.swarm);
      case 'keep':
        this.#use('origin', message.body.byteLength);
        return engine.keep(message);
      case 'held':
        return void this.#answer(message.id, message.digests, message.settled === true ? engine.settled() : null);
      case 'clear':
        return void this.#answer(message.id, [], engine.clear());
      case 'window':
        return engine.expect({ ...message, player: this.#player(message.player) });
      case 'seen':
        return engine.seen(message.urls);
      case 'port':
        // A service worker that started anew: its old port leads nowhere.
        this.#closeDoor();
        this.#closeDoor = this.#openDoor(message.port);
        return;
      default:
        return message satisfies never;
    }
  }

  tell(news: EngineNews): void {
    this.#ports.post(news.type === 'stats' ? { type: 'stats', stats: this.#stats } : news);
  }

  /** It is gone: nobody waits for anything any more. */
  close(): void {
    this.#asker.close();
    this.#closeDoor();
    for (const player of this.#players.values())
      this.#ports.engine.expect({ type: 'window', player, swarm: null, assets: [] });
  }

  get #stats(): TabStats {
    const { engine, tabs } = this.#ports;
    const { bytes: total, ...stats } = engine.stats;
    const uploaded = total.uploaded - this.#uploadedBefore;
    return { ...stats, bytes: { ...this.#bytes, uploaded }, total, tabs: tabs() };
  }

  /** @param after comes first, whether it succeeds or not; null: nothing */
  async #answer(id: number, digests: readonly Digest[], after: Promise<void> | null): Promise<void> {
    if (after) await after.catch(() => undefined);
    const { engine, post } = this.#ports;
    post({ type: 'held', id, held: engine.held(digests) });
  }

  #player(number: number): number {
    const known = this.#players.get(number) ?? this.#ports.newPlayer();
    this.#players.set(number, known);
    return known;
  }

  /** A service worker asks over this port; it is told first what it may ask for. What is returned ends that. */
  #openDoor(port: MessagePort): () => void {
    const { engine } = this.#ports;
    const answer = (message: PortMessage): void => port.postMessage(message, bodyOf(message));
    const asker = engine.asker(answer, this.#use);
    port.onmessage = ({ data }: MessageEvent<AssetQuestion>) => {
      // Says at once that somebody is here, so that the service worker can tell a slow origin from a closed page.
      if (data.type === 'read') answer({ type: 'progress', id: data.id, loaded: 0, total: 0 });
      asker.ask(data);
    };
    void engine.shareable().then((files) => answer({ type: 'shareable', files }));
    return () => {
      asker.close();
      port.close();
    };
  }
}

const bodyOf = (message: ToTab | PortMessage): Transferable[] =>
  message.type === 'loaded' ? [message.body] : message.type === 'chunk' ? [message.bytes] : [];
