/** The engine with the browser's ports, driven by its page's messages. In a worker and on the main thread the same. */
import { ASSET_CACHE } from '../../protocol/asset-cache.ts';
import type { Sha256 } from '../../protocol/ids.ts';
import type { EngineOptions, FromEngine, FromPage, SharePatterns } from '../../protocol/page.ts';
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
import type { LoadByUrl } from './assets.ts';
import { Engine, type Post } from './engine.ts';
import { Tabs } from './tabs.ts';

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
  let tabs: Tabs | null = null;
  post({ type: 'ready', takesChannels });
  return (message) => {
    if (message.type === 'start') {
      engine = startEngine(message.options, post, (news) => tabs?.tell(news));
      tabs = new Tabs(engine, systemClock, post);
      return;
    }
    if (!engine || !tabs) return;
    switch (message.type) {
      case 'tab':
        return tabs.admit(message.port, message.lock, goneWithout(message.lock));
      case 'channel':
        return engine.channel(message.connection, message.peer, dataChannel(message.channel));
      case 'connection':
        return engine.connection(message);
      case 'signal':
        return engine.signal(message);
      case 'share':
        return engine.share(message.lead);
      case 'leave':
        tabs.dismiss();
        return engine.leave();
      case 'end':
        tabs.dismiss();
        tabs.own.close();
        return engine.leave();
      case 'load':
      case 'read':
      case 'pull':
      case 'brought':
      case 'served':
      case 'abort':
      case 'join':
      case 'token':
      case 'keep':
      case 'held':
      case 'files':
      case 'clear':
      case 'window':
      case 'seen':
      case 'played':
      case 'port':
        return tabs.own.take(message);
      default:
        return message satisfies never;
    }
  };
}

/** Resolves once nobody holds the lock. */
const goneWithout = (lock: string): Promise<void> => navigator.locks.request(lock, () => undefined);

function startEngine(options: EngineOptions, post: PostToPage, tell: Post): Engine {
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
    store: openStore(sha256, trace, options.maxStorage),
    kept: keptTexts(storage),
    signaling: new SocketSignaling(options.signal, { clock: systemClock, random: systemRandom, trace, network: self }),
    dialer,
    trace,
    loadOutside: () => import('./from-outside.ts'),
    loadReads: () => import('./reads.ts'),
    loadByUrl,
    mayShare: options.patterns && mayShare(options.patterns),
  };
  return new Engine(ports, options, tell);
}

/** @param cap on the disk, bytes; null: as much as is usual */
function openStore(sha256: Sha256, trace: Trace, cap: number | null): AssetStore {
  const memory = new MemoryStore(STORE_BYTES);
  return new AssetStore({
    clock: systemClock,
    memory,
    isUsed: async () => (await storage?.has(ASSET_CACHE)) === true,
    openDisk: async (losing) => {
      if (!storage) throw new Error('no storage');
      const { DiskStore } = await import('../io/disk-store.ts');
      const ports = {
        caches: storage,
        estimate: () => navigator.storage.estimate(),
        sha256,
        clock: systemClock,
        today: () => Date.now(),
        needed: memory.needed,
        others: new BroadcastChannel(ASSET_CACHE),
        losing,
        trouble: (what: string, error: unknown) => trace('assets', () => `store, ${what}: ${String(error)}`),
      };
      return DiskStore.open(ports, cap);
    },
  });
}

const loadByUrl: LoadByUrl = async () => {
  const [{ ByUrl }, { freshFor }] = await Promise.all([import('./by-url.ts'), import('../io/fresh-for.ts')]);
  return { ByUrl, freshFor };
};

/** Where that can't be told nothing is. */
const mayShare = (patterns: SharePatterns): Promise<(url: string) => boolean> =>
  import('../io/url-filter.ts').then(({ urlFilter }) => urlFilter(patterns)).catch(() => () => false);
