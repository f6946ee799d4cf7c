/**
 * The digest service: hashes what playlists of allow-listed origins list, once, so that viewers can share content of a CDN that knows nothing of
 * digests. Owns all that it remembers; made by `createServer` where the operator names origins.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { setMaxListeners } from 'node:events';
import { resolve as absolutePath } from 'node:path';
import { P2PError } from '../../protocol/error.ts';
import type { Digest } from '../../protocol/ids.ts';
import type { Logger } from '../log.ts';
import { AssetDigests } from './asset-digests.ts';
import type { Resolve } from './guarded-lookup.ts';
import {
  DEFAULT_CACHE_BYTES,
  MAX_LISTED_ASSETS,
  MAX_URL_CHARACTERS,
  MAX_WAITING_REQUESTS,
  VARIANT_IDLE_MS,
} from './limits.ts';
import { NewPlaylists } from './new-playlists.ts';
import { OriginReader } from './origin-reader.ts';
import { RecordCache } from './record-cache.ts';
import { RecordFiles } from './record-files.ts';
import { WatchedPlaylist, type NamedAsset } from './watched-playlist.ts';

export interface DigestServiceOptions {
  /** Web origins whose assets are hashed. */
  readonly origins: readonly string[];
  /** Folder for digests and block hashes. Default: they are in memory alone. */
  readonly cache?: string;
  /** Bytes there, at most. Default 256 MiB. */
  readonly cacheBytes?: number;
  /** May the origins be in private networks, or on this machine? Default false. */
  readonly allowsPrivate?: boolean;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
}

export interface DigestServicePorts {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the service says of a playlist. */
export type Description =
  | { readonly kind: 'known'; readonly isSettled: boolean; readonly assets: readonly NamedAsset[] }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly why: string };

export class DigestService {
  readonly #reader: OriginReader;
  readonly #digests: AssetDigests;
  readonly #files: RecordFiles | undefined;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #newPlaylists: NewPlaylists;
  /** By URL; what was asked for last stands last. */
  readonly #playlists = new Map<string, WatchedPlaylist>();
  #waiting = 0;

  /** @throws P2PError `bad-flag` if the cache's folder can't be used */
  constructor(
    { origins, cache, cacheBytes, allowsPrivate = false, resolve }: DigestServiceOptions,
    ports: DigestServicePorts,
  ) {
    const { log, now } = ports;
    const { signal } = this.#closing;
    setMaxListeners(0, signal); // each request under way is one
    this.#now = now;
    this.#newPlaylists = new NewPlaylists(now());
    this.#reader = new OriginReader({ origins, allowsPrivate, ...(resolve && { resolve }) });
    this.#files =
      cache === undefined ? undefined : new RecordFiles(usable(cache), cacheBytes ?? DEFAULT_CACHE_BYTES, log);
    this.#digests = new AssetDigests({ reader: this.#reader, cache: new RecordCache(this.#files), signal, now });
  }

  get counters(): AssetDigests['counters'] & { readonly playlists: number; readonly waitingAssets: number } {
    return { ...this.#digests.counters, playlists: this.#playlists.size, waitingAssets: this.#digests.waiting };
  }

  /**
   * What is known of a media playlist, or of all that a multivariant one lists; waits for a while where that is nothing yet.
   * @param untrustedUrl what a client says
   * @param from tells clients apart: an address, or what stands for it
   */
  async describe(untrustedUrl: string, from = ''): Promise<Description> {
    if (untrustedUrl.length > MAX_URL_CHARACTERS || !this.#reader.admits(untrustedUrl)) return { kind: 'forbidden' };
    const url = new URL(untrustedUrl);
    url.hash = '';
    const playlist = this.#known(url.href) ?? this.#admit(url.href, from);
    if (!playlist) return { kind: 'busy' };
    const waits = this.#waiting < MAX_WAITING_REQUESTS;
    this.#waiting++;
    try {
      await playlist.ask(waits);
      const { state } = playlist;
      if (state.kind === 'failed') return { kind: 'failed', why: state.why };
      if (state.kind !== 'multivariant') return describing([playlist], state.kind === 'unread');
      const media = state.playlists.map((one) => this.#known(one) ?? this.#add(one));
      await Promise.all(media.map((one) => one.ask(waits)));
      return describing(media, false);
    } finally {
      this.#waiting--;
    }
  }

  /** The block hashes of an asset that was hashed here. */
  leaves(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#digests.leaves(digest);
  }

  /** Ends all that is under way. Resolves when the disk is up to date. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The server is closing.'));
    for (const playlist of this.#playlists.values()) playlist.close();
    this.#reader.close();
    await this.#files?.settled();
  }

  #known(url: string): WatchedPlaylist | undefined {
    const playlist = this.#playlists.get(url);
    if (!playlist) return undefined;
    this.#playlists.delete(url);
    this.#playlists.set(url, playlist);
    return playlist;
  }

  /** Nobody asked for this one yet. Undefined: there is no place for it now. */
  #admit(url: string, from: string): WatchedPlaylist | undefined {
    const mayGo = (other: string): boolean => this.#playlists.get(other)?.isIdle(VARIANT_IDLE_MS) ?? true;
    const admitted = this.#newPlaylists.admit(url, { now: this.#now(), from, mayGo });
    if (!admitted) return undefined;
    if (admitted.instead !== null) this.#forget(admitted.instead);
    return this.#add(url);
  }

  #add(url: string): WatchedPlaylist {
    const playlist = new WatchedPlaylist(url, {
      reader: this.#reader,
      digests: this.#digests,
      signal: this.#closing.signal,
      now: this.#now,
      changed: () => this.#makeRoom(),
    });
    this.#playlists.set(url, playlist);
    this.#makeRoom();
    return playlist;
  }

  /** What was asked for longest ago goes. */
  #makeRoom(): void {
    let weight = [...this.#playlists.values()].reduce((sum, playlist) => sum + playlist.weight, 0);
    for (const [url, playlist] of this.#playlists) {
      if (weight <= MAX_LISTED_ASSETS) return;
      weight -= playlist.weight;
      this.#forget(url);
    }
  }

  #forget(url: string): void {
    this.#playlists.get(url)?.close();
    this.#playlists.delete(url);
    this.#newPlaylists.release(url);
  }
}

/** Each asset once, however many playlists list it. */
function describing(playlists: readonly WatchedPlaylist[], isUnread: boolean): Description {
  const assets = new Map(playlists.flatMap(({ known }) => known.map((one) => [one.asset, one])));
  return {
    kind: 'known',
    isSettled: !isUnread && playlists.every(({ isSettled }) => isSettled),
    assets: [...assets.values()],
  };
}

function usable(folder: string): string {
  const path = absolutePath(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new P2PError(
      'bad-flag',
      `Expected a folder to keep digests in, but ${path} can't be used (${reason}). Name one that this user may write to: --digest-cache DIR.`,
      { folder: path },
    );
  }
}
