/**
 * A mesh for tests: it reads the web server's own files (or `files`, where a test has put one), notes what it was asked, and its origin can be
 * switched off. Then only what `holders` names can be had, as from a neighbour.
 */
import type {
  Kept,
  LoadedAsset,
  LoadOptions,
  MeshFace,
  MeshOptions,
  MeshStats,
  Prefetched,
  PrefetchOptions,
} from '../../mesh/index.ts';
import { P2PError } from '../../protocol/error.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Expected, Held, Played } from '../../protocol/page.ts';
import { formatDigestTag } from '../../protocol/playlist-tag.ts';

export interface Asked {
  readonly url: string;
  readonly options: LoadOptions;
}

export const NO_STATS: MeshStats = {
  peers: 0,
  bytes: { origin: 0, peers: 0, store: 0, uploaded: 0 },
  total: { origin: 0, peers: 0, store: 0, uploaded: 0 },
  tabs: 1,
  banned: 0,
  signaling: 'joined',
  originReachable: true,
  lineRate: null,
  noMesh: null,
  peer: null,
  offload: 0,
};

export class FakeMesh extends EventTarget implements MeshFace {
  stats = NO_STATS;
  readonly configured: (MeshOptions | Promise<MeshOptions>)[] = [];
  readonly joined: string[] = [];
  /** What players expect, each time they told it. */
  readonly expected: { readonly player: number; readonly assets: readonly Expected[]; readonly swarm?: string }[] = [];
  readonly asked: Asked[] = [];
  /** URL paths whose bodies were given, in order. */
  readonly served: string[] = [];
  /** Bodies by URL path, in place of the server's. */
  readonly files = new Map<string, { body: BlobPart; type: string }>();
  /** Is this URL held by a neighbour? Asked of every URL. */
  holders: (url: string) => boolean = () => false;
  /** Is the origin there? Setting it is not noticed by the mesh before a request fails or succeeds. */
  origin = true;
  shared = true;
  /** Statuses that the origin answers with, by URL path. */
  readonly refused = new Map<string, number>();
  /** Tags each segment of the playlists that pass through with a digest of its URL. */
  tagged = false;
  /** Chunks of what is wanted while it comes: gives one after the other, and has it whole when it resolves. null: all comes at once. */
  stream: ((body: ArrayBuffer, give: (chunk: ArrayBuffer) => void) => Promise<void>) | null = null;
  /** Loads wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #urls = new Map<Digest, string>();

  configure(options: MeshOptions | Promise<MeshOptions>): void {
    this.configured.push(options);
  }

  /** What it was configured with, each time. */
  async options(): Promise<MeshOptions[]> {
    const all: MeshOptions[] = [];
    for (const options of this.configured) all.push(await options);
    return all;
  }

  /** What was to be brought; the test says what comes of it. */
  readonly prefetches: {
    readonly what: unknown;
    readonly options: PrefetchOptions;
    resolve(result: Prefetched): void;
    reject(error: Error): void;
  }[] = [];

  prefetch(what: string | URL | readonly (string | URL)[], options: PrefetchOptions = {}): Promise<Prefetched> {
    return new Promise((resolve, reject) => this.prefetches.push({ what, options, resolve, reject }));
  }

  clear(): Promise<void> {
    return Promise.resolve();
  }

  server(): Promise<string | null> {
    return Promise.resolve(null);
  }

  join(swarm: string): void {
    this.joined.push(swarm);
  }

  async load(url: string | URL, options: LoadOptions = {}): Promise<LoadedAsset> {
    const { href, pathname } = new URL(url, document.baseURI);
    this.asked.push({ url: href, options });
    await this.gate;
    options.signal?.throwIfAborted();
    const held = this.holders(href);
    if (!held) this.#askOrigin(href, pathname);
    const file = this.files.get(pathname);
    const response = file
      ? new Response(new Blob([file.body], { type: file.type }))
      : await fetch(unmistakable(href), options.signal ? { signal: options.signal } : {});
    if (!response.ok) throw new P2PError('origin-failed', `HTTP ${response.status}`, { status: response.status });
    const contentType = file?.type ?? response.headers.get('content-type') ?? '';
    const whole =
      this.tagged && pathname.endsWith('.m3u8') ? this.#tag(await response.text(), href) : await response.arrayBuffer();
    const { start, end } = options.range ?? { start: 0, end: whole.byteLength };
    const body = whole.slice(start, end);
    if (options.streamed && this.stream && body instanceof ArrayBuffer)
      await this.stream(body, (chunk) => options.onProgress?.(chunk.byteLength, body.byteLength, chunk));
    options.onProgress?.(body.byteLength, body.byteLength);
    this.served.push(pathname);
    return { body, contentType, source: held ? 'peers' : 'origin', shared: this.shared, url: href };
  }

  async fetch(url: string | URL, options: LoadOptions = {}): Promise<Response> {
    const { body, contentType } = await this.load(url, options);
    return new Response(body, { headers: { 'content-type': contentType } });
  }

  /** What came without a name and was given one, by URL. */
  readonly kept = new Map<string, Kept>();

  keep(url: string, asset: Kept): void {
    this.kept.set(url, asset);
  }

  expect(player: number, assets: readonly Expected[], swarm?: string): void {
    this.expected.push({ player, assets, ...(swarm !== undefined && { swarm }) });
  }

  async held(digests: readonly Digest[]): Promise<readonly Held[]> {
    return digests.map((digest) => (this.holders(this.#urls.get(digest) ?? '') ? 'neighbour' : 'nobody'));
  }

  readonly tokens: (string | null)[] = [];
  readonly seen: Played[] = [];

  played(seen: Played): void {
    this.seen.push(seen);
  }

  consent(): void {}

  authorize(token: string | null): void {
    this.tokens.push(token);
  }

  async leave(): Promise<void> {}

  setStats(stats: Partial<MeshStats>): void {
    this.stats = { ...this.stats, ...stats };
    this.dispatchEvent(new CustomEvent('stats', { detail: this.stats }));
  }

  /** URLs asked for whose path ends like this, in order; without the web origin. */
  paths(end = ''): string[] {
    return this.asked.map(({ url }) => new URL(url).pathname).filter((path) => path.endsWith(end));
  }

  #askOrigin(url: string, path: string): void {
    if (this.stats.originReachable !== this.origin) this.setStats({ originReachable: this.origin });
    const status = this.origin ? this.refused.get(path) : 0;
    if (status !== undefined) throw new P2PError('origin-failed', `The origin gave no ${url}: ${status}`, { status });
  }

  #tag(playlist: string, base: string): ArrayBuffer {
    const tagged = playlist.replace(/^(#EXTINF.*\n)(.+)$/gm, (_, info: string, uri: string) => {
      const url = new URL(uri, base).href;
      return `${formatDigestTag({ digest: this.#digestOf(url), size: 1000 })}\n${info}${uri}`;
    });
    return new TextEncoder().encode(tagged).buffer;
  }

  #digestOf(url: string): Digest {
    const known = [...this.#urls].find(([, of]) => of === url);
    const digest = known?.[0] ?? (this.#urls.size.toString(16).padStart(64, '0') as Digest);
    this.#urls.set(digest, url);
    return digest;
  }
}

/** The test runner's server compiles whatever ends in `.ts`, a segment as well; it does not recognize an ending that is written otherwise. */
const unmistakable = (url: string): string => url.replace(/\.ts$/, '.t%73');
