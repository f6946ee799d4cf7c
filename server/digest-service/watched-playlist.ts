/**
 * One playlist of another origin: what it lists, and what is known of that. Looks at it again while it is live and somebody asks. Owned by the
 * DigestService.
 */
import createDebug from 'debug';
import type { AssetName } from '../../protocol/ids.ts';
import { LIVE_PLAYLIST_WAIT_MS, VOD_PLAYLIST_WAIT_MS } from '../limits.ts';
import { within } from '../within.ts';
import type { AssetDigests, Owner } from './asset-digests.ts';
import {
  FAILED_ASSET_MS,
  FAILED_PLAYLIST_MS,
  LIVE_LOOK_MS,
  LIVE_WATCHED_MS,
  PLAYLIST_WEIGHT,
  VOD_FRESH_MS,
} from './limits.ts';
import { listedAssets, mediaPlaylists } from './listed-assets.ts';
import type { OriginReader } from './origin-reader.ts';
import { readRemotePlaylist, type RemotePlaylist } from './read-remote-playlist.ts';
import { keyOf, type RemoteAsset } from './remote-asset.ts';

const debug = createDebug('p2p:server:digest-service');

export interface NamedAsset {
  readonly asset: RemoteAsset;
  readonly name: AssetName;
}

export interface PlaylistPorts {
  readonly reader: OriginReader;
  readonly digests: AssetDigests;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** It lists something else now. */
  readonly changed: () => void;
}

interface Entry {
  readonly asset: RemoteAsset;
  /** null: it has none; undefined: not known yet. */
  name: AssetName | null | undefined;
  /** When to ask again, ms since 1970. */
  until: number;
  isAsked: boolean;
}

type State =
  | { readonly kind: 'unread' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'multivariant'; readonly playlists: readonly string[] }
  | { readonly kind: 'media'; readonly isLive: boolean };

export class WatchedPlaylist {
  readonly url: string;
  readonly #ports: PlaylistPorts;
  #state: State = { kind: 'unread' };
  #entries = new Map<string, Entry>();
  #lookedAt = -Infinity;
  #askedAt = -Infinity;
  #look: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #targetMs = 0;
  #isClosed = false;
  /** Who waits for something to become known: at most these two, whom all who ask share. */
  readonly #waiting = new Set<() => void>();
  #untilKnown: Promise<void> | undefined;
  #untilComplete: Promise<void> | undefined;
  /** Of the entries: those that nothing is known of yet, and those that have a name. */
  #unknown = 0;
  #named = 0;

  constructor(url: string, ports: PlaylistPorts) {
    this.url = url;
    this.#ports = ports;
  }

  get state(): State {
    return this.#state;
  }

  get weight(): number {
    return PLAYLIST_WEIGHT + this.#entries.size;
  }

  /** What is known, in the order of the playlist. */
  get known(): readonly NamedAsset[] {
    return [...this.#entries.values()].flatMap(({ asset, name }) => (name ? [{ asset, name }] : []));
  }

  /** Will nothing more become known soon? Then all is, but for what has no digest. Of a live stream there is always more. */
  get isSettled(): boolean {
    if (this.#isLive) return false;
    const soon = this.#ports.now() + FAILED_ASSET_MS;
    return this.#isComplete && [...this.#entries.values()].every(({ name, until }) => name !== null || until > soon);
  }

  /** Was everything tried? */
  get #isComplete(): boolean {
    return this.#state.kind !== 'unread' && this.#unknown === 0;
  }

  /** May it be forgotten for the sake of another? */
  isIdle(milliseconds: number): boolean {
    return this.#state.kind === 'failed' || this.#ports.now() - this.#askedAt > milliseconds;
  }

  /**
   * Somebody asks. Resolves when something can be said: of a VOD as soon as any digest is known, 8 s at most; of a live one, which is looked at anew, as
   * soon as all of them are, 1 s at most.
   * @param waits else it resolves at once, whatever is known
   */
  async ask(waits: boolean): Promise<void> {
    this.#askedAt = this.#ports.now();
    const wait = this.#state.kind === 'media' && this.#state.isLive ? LIVE_PLAYLIST_WAIT_MS : VOD_PLAYLIST_WAIT_MS;
    const begun = this.#begin();
    if (waits)
      await within(
        wait,
        begun.then(() => this.#news()),
      );
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when what it lists is known, as far as it has to be looked at, and is asked for. */
  async #begin(): Promise<void> {
    const { kind } = this.#state;
    const look = this.#isDue() ? this.#lookAgain() : this.#look;
    const isNews = kind === 'unread' || kind === 'failed' || (kind === 'media' && this.#isLive);
    if (isNews) await look;
    this.#askForAll();
  }

  /** Resolves when something can be said. */
  async #news(): Promise<void> {
    if (!this.#isLive) {
      this.#untilKnown ??= this.#until(() => this.#isSomethingKnown).finally(() => (this.#untilKnown = undefined));
      await this.#untilKnown;
      return;
    }
    this.#untilComplete ??= this.#until(() => this.#isComplete).finally(() => (this.#untilComplete = undefined));
    await within(LIVE_PLAYLIST_WAIT_MS, this.#untilComplete);
  }

  get #isLive(): boolean {
    return this.#state.kind === 'media' && this.#state.isLive;
  }

  #isDue(): boolean {
    const passed = this.#ports.now() - this.#lookedAt;
    if (this.#state.kind === 'failed') return passed >= FAILED_PLAYLIST_MS;
    return passed >= (this.#isLive ? LIVE_LOOK_MS : VOD_FRESH_MS);
  }

  get #isSomethingKnown(): boolean {
    return this.#isComplete || this.#named > 0;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!this.#isClosed && !condition()) {
      await new Promise<void>((wake) => this.#waiting.add(wake));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Those who ask meanwhile share it. Never rejects. */
  #lookAgain(): Promise<void> {
    this.#look ??= this.#read().finally(() => (this.#look = undefined));
    return this.#look;
  }

  async #read(): Promise<void> {
    const { reader, signal, changed, now } = this.#ports;
    this.#lookedAt = now();
    try {
      this.#take(await readRemotePlaylist(reader, this.url, signal));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      debug('%s: %s', this.url, why);
      // What was read before is as good as it was.
      if (this.#state.kind === 'unread') this.#state = { kind: 'failed', why };
    }
    if (this.#isClosed) return;
    this.#watch();
    this.#wake();
    changed();
  }

  #take({ playlist, url, targetMs }: RemotePlaylist): void {
    const admits = (one: string): boolean => this.#ports.reader.admits(one);
    this.#targetMs = targetMs;
    if (playlist.kind === 'multivariant') {
      this.#state = { kind: 'multivariant', playlists: mediaPlaylists(playlist, url, admits) };
      this.#entries.clear();
      this.#count();
      return;
    }
    this.#state = { kind: 'media', isLive: !playlist.ended };
    const before = this.#entries;
    this.#entries = new Map(
      listedAssets(playlist, url, admits).map((asset) => {
        const key = keyOf(asset);
        return [key, before.get(key) ?? { asset, name: undefined, until: 0, isAsked: false }];
      }),
    );
    this.#count();
    this.#askForAll();
  }

  #count(): void {
    this.#unknown = 0;
    this.#named = 0;
    for (const { name } of this.#entries.values()) {
      if (name === undefined) this.#unknown++;
      else if (name !== null) this.#named++;
    }
  }

  /** Of what is not known, or was for long. Each look has a turn of its own: a new segment does not wait for all old ones of its playlist. */
  #askForAll(): void {
    const { digests, now } = this.#ports;
    const owner: Owner = { wants: (key) => !this.#isClosed && this.#entries.has(key) };
    const due = [...this.#entries.values()].filter(({ until, isAsked }) => !isAsked && until <= now());
    // Players begin near the end of what is live.
    for (const entry of this.#isLive ? due.reverse() : due) {
      entry.isAsked = true;
      void digests.find(entry.asset, owner).then(({ name, until }) => {
        const before = entry.name;
        Object.assign(entry, { name, until, isAsked: false });
        if (this.#entries.get(keyOf(entry.asset)) !== entry) return;
        if (before === undefined) this.#unknown--;
        this.#named += Number(name !== null) - Number(Boolean(before));
        this.#wake();
      });
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (!this.#isLive) return;
    this.#timer = setTimeout(() => {
      if (this.#ports.now() - this.#askedAt <= LIVE_WATCHED_MS) void this.#lookAgain();
    }, this.#targetMs);
    this.#timer.unref();
  }
}
