/** One tab that the engine works for: its questions, its players, its share of the bytes. Owned by whoever carries its messages. */
import type { Digest } from '../../protocol/ids.ts';
import type { AssetQuestion, FromTab, PortMessage, TabStats, ToTab } from '../../protocol/page.ts';
import type { Asker } from './asker.ts';
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

/** A port to a service worker. */
interface Door {
  readonly tell: () => void;
  readonly close: () => void;
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
  #door: Door | null = null;

  constructor(ports: TabPorts) {
    const { engine, post } = ports;
    this.#ports = ports;
    this.#asker = engine.asker((answer) => {
      // Another engine may work for the tab by the time that statistics are due.
      if (answer.type === 'loaded') post({ type: 'stats', stats: this.#stats });
      post(answer, bodyOf(answer));
    }, this.#use);
    this.#uploadedBefore = engine.stats.bytes.uploaded;
  }

  take(message: FromTab): void {
    const { engine } = this.#ports;
    switch (message.type) {
      case 'load':
      case 'read':
      case 'pull':
      case 'brought':
      case 'served':
      case 'abort':
        return this.#asker.ask(message);
      case 'join':
        return engine.join(message.swarm);
      case 'token':
        return engine.showToken(message.token);
      case 'keep':
        // What has a name came by an engine, and was counted then.
        if (!message.name) this.#use('origin', message.body.byteLength);
        return engine.keep(message);
      case 'held':
        return void this.#answer(message.id, message.digests, message.settled === true ? engine.settled() : null);
      case 'files':
        void engine.listed(message.urls).then((files) => this.#ports.post({ type: 'files', id: message.id, files }));
        return;
      case 'clear':
        return void this.#clear(message.id);
      case 'window':
        return engine.expect({ ...message, player: this.#player(message.player) });
      case 'seen':
        return engine.seen(message.urls);
      case 'played':
        return engine.played(message);
      case 'port':
        // A service worker that started anew: its old port leads nowhere.
        this.#door?.close();
        this.#door = this.#openDoor(message.port);
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
    this.#door?.close();
    for (const player of this.#players.values())
      this.#ports.engine.expect({ type: 'window', player, swarm: null, assets: [] });
  }

  get #stats(): TabStats {
    const { engine, tabs } = this.#ports;
    const { bytes: total, ...stats } = engine.stats;
    const uploaded = total.uploaded - this.#uploadedBefore;
    return { ...stats, bytes: { ...this.#bytes, uploaded }, total, tabs: tabs() };
  }

  async #clear(id: number): Promise<void> {
    const { engine, post } = this.#ports;
    try {
      await engine.clear();
      post({ type: 'held', id, held: [] });
    } catch (error) {
      const message = `What is kept can't be thrown away: ${String(error)}`;
      post({ type: 'failed', id, code: 'storage-failed', message, status: 0 });
    }
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

  /** The manifest may list something else now. */
  tellShareable(): void {
    this.#door?.tell();
  }

  /** A service worker asks over this port; it is told first what it may ask for. */
  #openDoor(port: MessagePort): Door {
    const { engine } = this.#ports;
    const answer = (message: PortMessage): void => port.postMessage(message, bodyOf(message));
    const asker = engine.asker(answer, this.#use);
    port.onmessage = ({ data }: MessageEvent<AssetQuestion>) => {
      // Says at once that somebody is here, so that the service worker can tell a slow origin from a closed page.
      if (data.type === 'read' || data.type === 'load') answer({ type: 'progress', id: data.id, loaded: 0, total: 0 });
      asker.ask(data);
    };
    const tell = (): void => void engine.shareable().then((files) => answer({ type: 'shareable', files }));
    tell();
    return {
      tell,
      close: () => {
        asker.close();
        port.close();
      },
    };
  }
}

const bodyOf = (message: ToTab | PortMessage): Transferable[] =>
  message.type === 'loaded' ? [message.body] : message.type === 'chunk' ? [message.bytes] : [];
