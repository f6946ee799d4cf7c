/** The public face of the mesh: one for a page, shared by all its elements. Starts the engine with the first use and speaks with it. */
import { P2PError } from '../../protocol/error.ts';
import type { Digest, SwarmId } from '../../protocol/ids.ts';
import type { AssetAnswer, ByteCounts, Expected, FromTab, Held, Played, TabStats, ToTab } from '../../protocol/page.ts';
import { swarmOfName } from '../../protocol/swarm.ts';
import { engineOptions, LOT_ITEM } from './engine-options.ts';
import { loadPlainly } from './load-plainly.ts';
import { linkServiceWorker, stayAwake } from './service-worker-link.ts';
import type {
  LoadedAsset,
  LoadOptions,
  MeshEventMap,
  MeshFace,
  MeshOptions,
  Kept,
  MeshStats,
  Prefetched,
  PrefetchOptions,
} from './types.ts';
import { TabEngine, type PostToTabEngine } from '../tabs/tab-engine.ts';
import { warnOnce } from './warn.ts';

interface Waiting {
  readonly settle: (answer: Exclude<AssetAnswer, { type: 'progress' | 'chunk' }>) => void;
  readonly progress: LoadOptions['onProgress'];
}

/** A question that gets an answer by its number, which it has yet to get. */
type Asked = Unnumbered<Extract<FromTab, { type: 'held' | 'files' | 'clear' }>>;
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
type Answer = Extract<ToTab, { type: 'held' | 'files' | 'failed' }>;

const NO_BYTES: ByteCounts = { origin: 0, peers: 0, store: 0, uploaded: 0 };

const NO_STATS: TabStats = {
  peers: 0,
  bytes: NO_BYTES,
  total: NO_BYTES,
  tabs: 1,
  banned: 0,
  signaling: 'off',
  originReachable: true,
  lineRate: null,
  noMesh: 'not-sharing',
  peer: null,
};

export class Mesh extends EventTarget implements MeshFace {
  #options: MeshOptions | Promise<MeshOptions> = {};
  #consented = false;
  #engine: Promise<TabEngine> | null = null;
  #scope = new AbortController();
  #stats = NO_STATS;
  /** What engines before the present one counted. */
  #countedBefore = NO_BYTES;
  #last = 0;
  #left = false;
  /** Of the server. */
  #origin = '';
  readonly #loads = new Map<number, Waiting>();
  /** Called when no load is under way any more. */
  #quiet: () => void = () => undefined;
  readonly #answers = new Map<number, (answer: Answer) => void>();

  declare addEventListener: MeshFace['addEventListener'];

  /** Bytes since the tab opened, this tab's own use, and the state of the mesh. */
  get stats(): MeshStats {
    const bytes = sum(this.#countedBefore, this.#stats.bytes);
    const consumed = bytes.origin + bytes.peers + bytes.store;
    return { ...this.#stats, bytes, offload: consumed === 0 ? 0 : 1 - bytes.origin / consumed };
  }

  /** Web origin of the server: see MeshFace. */
  async server(): Promise<string | null> {
    await (this.#engine ??= this.#startEngine());
    return this.#consented && !this.#left ? this.#origin : null;
  }

  /** What `<p2p-mesh>` says. Counts until the first use of the mesh. */
  configure(options: MeshOptions | Promise<MeshOptions>): void {
    this.#options = options;
  }

  /** Joins a swarm ahead of its first request. @throws P2PError `bad-attribute` for a name that can't be one */
  join(swarm: string): void {
    void this.#post({ type: 'join', swarm: swarmOfName(swarm) });
  }

  /**
   * The asset behind a URL: from this device, from neighbours, else from the origin.
   * @returns a Response as `fetch()` would give for a 200, with the asset's type and length
   * @throws P2PError `origin-failed` (`details.status`: the HTTP status, 0 for none), or the signal's reason
   */
  async fetch(url: string | URL, options: LoadOptions = {}): Promise<Response> {
    const { body, contentType } = await this.load(url, options);
    return new Response(body, { headers: { 'content-type': contentType, 'content-length': String(body.byteLength) } });
  }

  /** As `fetch`, with the bytes and where they came from. */
  async load(url: string | URL, options: LoadOptions = {}): Promise<LoadedAsset> {
    const { signal, range = null, deadline = null, name = null, use, streamed = false } = options;
    signal?.throwIfAborted();
    const swarm = swarmOf(options);
    const href = absolute(url);
    const early = options.urgent === true ? await this.#fromOriginAtOnce(href, options) : null;
    if (early) return early;
    const id = ++this.#last;
    const post = await this.#start();
    signal?.throwIfAborted();
    if (!post) return loadPlainly(href, options);
    const answer = new Promise<LoadedAsset>((resolve, reject) => {
      const abort = (): void => {
        post({ type: 'abort', id });
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is, as throwIfAborted() does
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort);
      const settle: Waiting['settle'] = (message) => {
        signal?.removeEventListener('abort', abort);
        if (message.type === 'loaded') resolve(message);
        else if (message.type !== 'failed') return;
        // There was an engine, and there is none any more.
        else if (message.code === 'engine-failed') resolve(loadPlainly(href, options));
        else reject(new P2PError(message.code, message.message, { status: message.status, url: href }));
      };
      this.#loads.set(id, { settle, progress: options.onProgress });
    });
    post({
      type: 'load',
      id,
      url: href,
      name,
      swarm,
      deadline,
      age: 0,
      unlisted: 'fetch',
      use,
      range,
      streamed,
    });
    return answer.finally(() => {
      this.#loads.delete(id);
      if (this.#loads.size === 0) this.#quiet();
    });
  }

  /** The engine starts meanwhile, and is given a copy to hand out. Null where the origin is gone: neighbours may have it. */
  async #fromOriginAtOnce(url: string, options: LoadOptions): Promise<LoadedAsset | null> {
    void this.#start();
    try {
      const asset = await loadPlainly(url, options);
      this.keep(url, { ...asset, swarm: options.swarm });
      return asset;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof P2PError && Number(error.details['status']) < 500) throw error;
      return null;
    }
  }

  /** Hands out what came without it, or without a digest: see MeshFace. */
  keep(url: string, asset: Kept): void {
    void this.#post({
      shareable: true,
      ...asset,
      type: 'keep',
      url: absolute(url),
      swarm: swarmOf(asset),
      body: asset.body.slice(),
    });
  }

  /** What a player will ask for next: see MeshFace. */
  expect(player: number, assets: readonly Expected[], swarm?: string): void {
    void this.#post({ type: 'window', player, swarm: swarmOf(swarm === undefined ? {} : { swarm }), assets });
  }

  /** What a player saw: see MeshFace. */
  played(seen: Played): void {
    void this.#post({ type: 'played', ...seen });
  }

  /** Who holds these assets now, in the order asked. */
  async held(digests: readonly Digest[]): Promise<readonly Held[]> {
    return this.#held({ type: 'held', digests });
  }

  /**
   * Brings content onto this device before it is needed, checked, from neighbours or the origin, and asks the browser to keep it: files, or a
   * playlist with all that it lists (keys of encrypted segments aside). What can't be had is told; the rest is brought.
   * @throws the signal's reason
   */
  async prefetch(what: string | URL | readonly (string | URL)[], options: PrefetchOptions = {}): Promise<Prefetched> {
    const { prefetch } = await import('./prefetch.ts');
    const urls = typeof what === 'string' || what instanceof URL ? [what] : what;
    return prefetch(urls, options, this, {
      listed: async (asked) => {
        const answer = await this.#ask({ type: 'files', urls: asked });
        return answer?.type === 'files' ? answer.files : [];
      },
      kept: (digests) => this.#held({ type: 'held', digests, settled: true }),
    });
  }

  /** Throws away all that the kit keeps on this device, of this visit and of earlier ones. Neighbours are told first. @throws where the browser does not let it go */
  async clear(): Promise<void> {
    const isCleared = (await this.#ask({ type: 'clear' })) !== null;
    // Typed as always there, but missing on plain HTTP.
    const storage = globalThis.caches as CacheStorage | undefined;
    // The assets are the engine's, which has emptied their cache and goes on with it.
    const ours = isCleared ? /^p2p-elements(?!-assets-)(-|$)/ : /^p2p-elements(-|$)/;
    for (const name of (await storage?.keys()) ?? []) if (ours.test(name)) await storage?.delete(name);
    try {
      localStorage.removeItem(LOT_ITEM);
    } catch {
      // Storage is forbidden here, so there is none.
    }
  }

  async #held(question: Extract<Asked, { type: 'held' }>): Promise<readonly Held[]> {
    const answer = await this.#ask(question);
    return answer?.type === 'held' ? answer.held : question.digests.map(() => 'nobody');
  }

  /** @returns the engine's answer; null: there is no engine @throws P2PError what the engine says */
  async #ask(question: Asked): Promise<Answer | null> {
    const id = ++this.#last;
    const post = await this.#start();
    if (!post) return null;
    const answer = await new Promise<Answer>((resolve) => {
      this.#answers.set(id, resolve);
      post({ ...question, id });
    });
    this.#answers.delete(id);
    if (answer.type !== 'failed') return answer;
    if (answer.code === 'engine-failed') return null;
    throw new P2PError(answer.code, answer.message);
  }

  /** The viewer agrees to share. */
  consent(): void {
    this.#consented = true;
    if (!this.#left) void this.#engine?.then((engine) => engine.share());
  }

  /** Shows the signaling server another token: see MeshFace. */
  authorize(token: string | null): void {
    void this.#post({ type: 'token', token });
  }

  /** Closes all connections and leaves the swarms. From now on everything comes from the origin, until the page is loaded again. */
  async leave(): Promise<void> {
    this.#left = true;
    this.#scope.abort();
    (await this.#engine)?.leave();
  }

  async #post(message: FromTab): Promise<void> {
    (await this.#start())?.(message);
  }

  /** Null: there is no engine. */
  async #start(): Promise<PostToTabEngine | null> {
    this.#engine ??= this.#startEngine();
    const engine = await this.#engine;
    return (await engine.ready) ? engine.post : null;
  }

  async #startEngine(): Promise<TabEngine> {
    const given = await Promise.resolve(this.#options).catch((): MeshOptions => ({}));
    const { options, worker, warnings } = engineOptions({
      ...given,
      // Who left before anything was loaded does not take part either.
      consentRequired: this.#left || (given.consentRequired === true && !this.#consented),
    });
    for (const warning of warnings) this.#warn(warning);
    this.#origin = options.signal;
    this.#consented ||= options.share;
    const { signal } = this.#scope;
    let connect: () => void = () => undefined;
    const engine = new TabEngine({
      options,
      findsTabs: worker !== null,
      receive: (message) => this.#receive(message),
      changed: () => {
        this.#countedBefore = this.stats.bytes;
        this.#stats = { ...this.#stats, bytes: NO_BYTES };
        connect();
      },
      failed: (error) => this.#warn(error),
    });
    const { post } = engine;
    if (given.token !== undefined) post({ type: 'token', token: given.token });
    if (worker !== null)
      connect = linkServiceWorker({
        script: worker,
        unverified: options.sharesUnverified,
        whenQuiet: (then) => {
          if (this.#loads.size === 0) then();
          else this.#quiet = then;
        },
        givePort: (port) => post({ type: 'port', port }, [port]),
        seen: (urls) => post({ type: 'seen', urls }),
        warn: (error) => this.#warn(error),
        signal,
      });
    addEventListener('pagehide', () => engine.hide(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && engine.show(), { signal });
    return engine;
  }

  #receive(message: ToTab): void {
    switch (message.type) {
      case 'chunk': // Asked for by service workers only.
        return;
      case 'stay-awake':
        return stayAwake();
      case 'progress':
        return this.#loads.get(message.id)?.progress?.(message.loaded, message.total, message.chunk);
      case 'failed':
        this.#answers.get(message.id)?.(message);
        return this.#loads.get(message.id)?.settle(message);
      case 'loaded':
      case 'pass':
        return this.#loads.get(message.id)?.settle(message);
      case 'held':
      case 'files':
        return this.#answers.get(message.id)?.(message);
      case 'stats':
        this.#stats = message.stats;
        return this.#dispatch('stats', this.stats);
      case 'peer':
        return this.#dispatch('peer', { peer: message.peer, state: message.state });
      case 'warning':
        return this.#warn(new P2PError(message.code, message.message, { ...message.details }));
      default:
        return message satisfies never;
    }
  }

  /** Tells the author once, in the console, and whoever listens each time. */
  #warn(error: P2PError): void {
    warnOnce(`${error.message} [${error.code}]`);
    this.#dispatch('error', error);
  }

  #dispatch<T extends keyof MeshEventMap>(type: T, detail: MeshEventMap[T]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const sum = (a: ByteCounts, b: ByteCounts): ByteCounts => ({
  origin: a.origin + b.origin,
  peers: a.peers + b.peers,
  store: a.store + b.store,
  uploaded: a.uploaded + b.uploaded,
});

const absolute = (url: string | URL): string => new URL(url, document.baseURI).href;

const swarmOf = ({ swarm }: Pick<Kept, 'swarm'>): SwarmId | null => (swarm === undefined ? null : swarmOfName(swarm));

/** The page's mesh. */
export const mesh = new Mesh();
