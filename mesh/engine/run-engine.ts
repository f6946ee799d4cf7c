/** The engine with the browser's ports, driven by its page's messages. In a worker and on the main thread the same. */
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import type { Sha256 } from '../../protocol/ids.ts';
import type {
  AssetQuestion,
  EngineOptions,
  FromEngine,
  FromPage,
  PortMessage,
  SharePatterns,
} from '../../protocol/page.ts';
import { ENGINE_REFERRER } from '../../protocol/worker.ts';
import { STORE_BYTES } from '../core/limits.ts';
import type { Dialer, Trace } from '../core/ports.ts';
import { AssetStore } from '../io/asset-store.ts';
import { systemClock, systemRandom } from '../io/clock.ts';
import { dataChannel } from '../io/data-channel.ts';
import { fetchCached } from '../io/fetch-cached.ts';
import { fetchOrigin } from '../io/fetch-origin.ts';
import { keptTexts } from '../io/kept-texts.ts';
import { MemoryStore } from '../io/memory-store.ts';
import { createSha256 } from '../io/sha256.ts';
import { SocketSignaling } from '../io/signaling/socket-signaling.ts';
import { createTrace } from '../io/trace.ts';
import { Engine } from './engine.ts';

/** Typed as always there, but missing on plain HTTP. */
const storage = self.caches as CacheStorage | undefined;

/** Sends a message to the page and gives it what is to be transferred. */
export type PostToPage = (message: FromEngine, transfer?: Transferable[]) => void;

/**
 * @param takesChannels can data channels be transferred to here, or is here where they are made?
 * @returns takes the page's messages; the first must be `start`
 */
export function runEngine(post: PostToPage, takesChannels: boolean): (message: FromPage) => void {
  let engine: Engine | null = null;
  let closePort: () => void = () => undefined;
  let ask: (question: AssetQuestion) => void = () => undefined;
  post({ type: 'ready', takesChannels });
  return (message) => {
    if (message.type === 'start') {
      engine = startEngine(message.options, post);
      ({ ask } = engine.asker((answer) => post(answer, bodyOf(answer))));
      return;
    }
    if (!engine) return;
    switch (message.type) {
      case 'load':
      case 'read':
      case 'pull':
      case 'served':
      case 'abort':
        return ask(message);
      case 'join':
        return engine.join(message.swarm);
      case 'keep':
        return engine.keep(message);
      case 'held':
        return post({ type: 'held', id: message.id, held: engine.held(message.digests) });
      case 'window':
        return engine.expect(message);
      case 'seen':
        return engine.seen(message.urls);
      case 'port':
        // A service worker that started anew: its old port leads nowhere.
        closePort();
        closePort = openPort(engine, message.port);
        return;
      case 'channel':
        return engine.channel(message.connection, message.peer, dataChannel(message.channel));
      case 'connection':
        return engine.connection(message);
      case 'signal':
        return engine.signal(message);
      case 'share':
        return engine.share();
      case 'leave':
        return engine.leave();
      default:
        return message satisfies never;
    }
  };
}

function startEngine(options: EngineOptions, post: PostToPage): Engine {
  const trace = createTrace(options.debug);
  const sha256 = createSha256();
  const dialer: Dialer = {
    dial: (connection, peer, iceServers) => post({ type: 'dial', connection, peer, iceServers }),
    remoteSignal: (peer, signal, iceServers) => post({ type: 'remote-signal', peer, signal, iceServers }),
    hangUp: (connection) => post({ type: 'hang-up', connection }),
  };
  const ports = {
    clock: systemClock,
    random: systemRandom,
    sha256,
    origin: fetchOrigin(new URL(ENGINE_REFERRER, options.webOrigin).href),
    cached: fetchCached,
    store: openStore(sha256, trace),
    kept: keptTexts(storage),
    signaling: new SocketSignaling(options.signal, { clock: systemClock, random: systemRandom, trace, network: self }),
    dialer,
    trace,
    loadOutside: () => import('./from-outside.ts'),
    loadReads: () => import('./reads.ts'),
    mayShare: options.patterns && mayShare(options.patterns),
  };
  return new Engine(ports, options, post);
}

function openStore(sha256: Sha256, trace: Trace): AssetStore {
  return new AssetStore({
    clock: systemClock,
    memory: new MemoryStore(STORE_BYTES),
    isUsed: async () => (await storage?.has(ASSET_CACHE)) === true,
    openDisk: async (losing) => {
      if (!storage) throw new Error('no storage');
      const { DiskStore } = await import('../io/disk-store.ts');
      return DiskStore.open({
        caches: storage,
        estimate: () => navigator.storage.estimate(),
        sha256,
        clock: systemClock,
        today: () => Date.now(),
        losing,
        trouble: (what, error) => trace('assets', () => `store, ${what}: ${String(error)}`),
      });
    },
  });
}

/** Where that can't be told nothing is. */
const mayShare = (patterns: SharePatterns): Promise<(url: string) => boolean> =>
  import('../io/url-filter.ts').then(({ urlFilter }) => urlFilter(patterns)).catch(() => () => false);

/** A service worker asks over this port; it is told first what it may ask for. What is returned ends that. */
function openPort(engine: Engine, port: MessagePort): () => void {
  const answer = (message: PortMessage): void => port.postMessage(message, bodyOf(message));
  const asker = engine.asker(answer);
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

const bodyOf = (message: FromEngine | PortMessage): Transferable[] =>
  message.type === 'loaded' ? [message.body] : message.type === 'chunk' ? [message.bytes] : [];
