import type { AssetName, Digest } from '../../protocol/ids.ts';
import type { AssetSource, Expected, Held, Played, TabStats, UnverifiedUse } from '../../protocol/page.ts';

/** What `<p2p-mesh>` says about the mesh. Everything is optional; URLs may be relative to the page. */
export interface MeshOptions {
  /** Signaling server. Default: the page's own origin. */
  signal?: string;
  /** Manifest. Default: `/p2p-manifest.json` of the page's origin; `none`: there is none. */
  manifest?: string;
  /** Script of the service worker. Default: `/p2p-sw.js` of the page's origin; `none`: no service worker. */
  worker?: string;
  /** Patterns (URL Pattern Standard, relative to the page) of what may be shared of all that has a digest. Default: all of it. */
  share?: readonly string[];
  /** Patterns of what may not. Default: none. */
  exclude?: readonly string[];
  /** Does this browser hand out what it has? Default true. */
  upload?: boolean;
  /** Upload cap, bits per second. Default: none. */
  maxUpload?: number;
  /** What may be shared: what has a digest of the origin's, or (`none`) images, films and sound without one too, which then nobody can check. Default `required`. */
  verify?: 'required' | 'none';
  /** Cap on the assets that are kept on the disk, bytes; 0: they are in memory alone. Default: 2 GiB; never more than half of what the browser gives the web origin. */
  maxStorage?: number;
  /** `relay`: connections go through the signaling server's TURN servers alone, and no other viewer sees this one's network address. Default `all`. */
  iceTransport?: 'all' | 'relay';
  /** What lets the page in where the signaling server asks for tokens. Default: nothing. */
  token?: string;
  /** Wait for `mesh.consent()` before anything is shared; until then all comes from the origin. Default false. */
  consentRequired?: boolean;
}

export interface LoadOptions {
  /** Digest and size, where a playlist's tag tells them. Default: looked up in the manifest. */
  name?: AssetName;
  /** Swarm to look in. Default: the web origin's static assets. */
  swarm?: string;
  /** Milliseconds until the bytes are needed. */
  deadline?: number;
  /** What it is for. Where the page says `verify="none"` this may be shared without a digest. Default: nothing such. */
  use?: UnverifiedUse;
  /** Much else waits for this: the origin is asked at once, before engine and mesh are there; neighbours help where it is gone. Default false. */
  urgent?: boolean;
  signal?: AbortSignal;
  /** Bytes `[start, end)` of the URL. With a name they are the asset; without one the request goes to the origin as it is. */
  range?: { start: number; end: number };
  /** Called now and then with bytes had and bytes in all (0: not known), and with the chunk that `streamed` asks for. */
  onProgress?: (loaded: number, total: number, chunk?: ArrayBuffer) => void;
  /** Give the checked bytes along while they come: chunks follow each other from the first byte on, and what comes last is in the body alone. Without block hashes there are none. Default false. */
  streamed?: boolean;
}

export interface PrefetchOptions {
  signal?: AbortSignal;
  /** Swarm of a playlist's segments. Default: as `<p2p-video>` has it for the playlist's URL; others are in the web origin's. */
  swarm?: string;
  /** Renditions with a higher peak bit rate than this, bits per second, are left out, unless there is no other. Default: none is. */
  maxBandwidth?: number;
  /** Called with bytes had, and bytes in all as far as that is known. */
  onProgress?: (loaded: number, total: number) => void;
}

export interface Prefetched {
  /** Assets and bytes that are on this device now. */
  readonly assets: number;
  readonly bytes: number;
  /** URLs that could not be had, or may not be kept: they have no digest. */
  readonly missing: readonly string[];
  /** Does the browser promise to keep them until the viewer clears them? */
  readonly persisted: boolean;
}

export interface LoadedAsset {
  /** The caller's own copy. */
  readonly body: ArrayBuffer;
  readonly contentType: string;
  readonly source: AssetSource;
  /** Is it checked, in the store and offered to neighbours? False where the origin's digest is not known or contradicted. */
  readonly shared: boolean;
  /** Where it is not: do status and headers allow it? Default: false. */
  readonly shareable?: boolean;
  /** The URL after redirects. */
  readonly url: string;
}

/** What the page had from the origin. */
export interface Kept {
  readonly body: ArrayBuffer;
  readonly contentType: string;
  /** Digest and size: what `load` gave without them has these by now. Default: the page had it without the mesh, and the manifest is asked. */
  readonly name?: AssetName;
  /** Do status and headers allow sharing? Default: true. */
  readonly shareable?: boolean;
  /** Default: the web origin's static assets. */
  readonly swarm?: string | undefined;
}

/** `mesh.stats`: `bytes` are this tab's own use since it opened, `total` those of the peer, that is of all tabs. */
export interface MeshStats extends TabStats {
  /** 1 - bytes from the origin / bytes consumed; 0 before anything was consumed. */
  readonly offload: number;
}

export type MeshEventMap = {
  stats: CustomEvent<MeshStats>;
  peer: CustomEvent<{ peer: string; state: 'connected' | 'gone' | 'banned' }>;
  /** `detail` is a P2PError: something the author or the viewer should know. The page plays on. */
  error: CustomEvent<Error>;
};

/** What the elements use of the mesh. The class `Mesh` implements it; tests may fake it. */
export interface MeshFace extends EventTarget {
  addEventListener<T extends keyof MeshEventMap>(
    type: T,
    listener: (event: MeshEventMap[T]) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  readonly stats: MeshStats;
  /** Web origin of the server; null while the viewer has not agreed to share, or has left. */
  server(): Promise<string | null>;
  /** The mesh starts when a promise is kept; one that fails counts as no options. */
  configure(options: MeshOptions | Promise<MeshOptions>): void;
  /** Joins a swarm ahead of its first request. */
  join(swarm: string): void;
  load(url: string | URL, options?: LoadOptions): Promise<LoadedAsset>;
  fetch(url: string | URL, options?: LoadOptions): Promise<Response>;
  /** Hands out what the page has already. What it does not let be shared, what nobody names, and other bytes than the name's are not taken. */
  keep(url: string, asset: Kept): void;
  /**
   * What a player will ask for next, soonest first, so that it can be fetched ahead and for neighbours. Replaces what the same player said
   * before; an empty list ends it.
   * @param player a number that the player has for itself
   * @param swarm default: the web origin's static assets
   */
  expect(player: number, assets: readonly Expected[], swarm?: string): void;
  /** What a player saw of stalls and first frames. The server adds it up for its operator, as it does the bytes; it learns nothing else of the viewer. */
  played(seen: Played): void;
  /** Who holds these assets now, in the order asked. */
  held(digests: readonly Digest[]): Promise<readonly Held[]>;
  /** Brings content onto this device before it is needed: files, or all that a playlist lists. */
  prefetch(what: string | URL | readonly (string | URL)[], options?: PrefetchOptions): Promise<Prefetched>;
  /** Throws away all that the kit keeps on this device. */
  clear(): Promise<void>;
  consent(): void;
  /** Shows the signaling server another token, as when the one before runs out; null: none. */
  authorize(token: string | null): void;
  leave(): Promise<void>;
}
