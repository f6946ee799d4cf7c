/**
 * One stream in one native media element: owns the hls.js instance, from `start()` to `destroy()`. `<p2p-video>` makes a new one for each `src`.
 */
import type { ErrorData, default as Hls, Level, LevelDetails } from 'hls.js';
import type { MeshFace } from '../../mesh/index.ts';
import type { Digest } from '../../protocol/ids.ts';
import { loadFullBuild, loadLightBuild, needsFullBuild, type HlsModule } from './build.ts';
import { chooseRendition } from './choose-rendition.ts';
import { HeldSegments } from './held-segments.ts';
import { hlsConfig, loadAll, type Preload } from './hls-config.ts';
import { HELD_AHEAD_SEGMENTS } from './limits.ts';
import { playlistCacheOf, type PlaylistCache } from './playlist-cache.ts';
import { decideRecovery, type FatalError } from './recovery.ts';
import { bufferedUntil, segmentsAfter, segmentsOf, type Segment } from './segments.ts';

export interface HlsPlayerOptions {
  readonly mesh: MeshFace;
  readonly media: HTMLMediaElement;
  /** Absolute URL of a multivariant or media playlist. */
  readonly url: string;
  readonly swarm: string | null;
  readonly preload: Preload;
  /** hls.js was created and the media element attached to it. */
  readonly onInstance: (hls: Hls) => void;
  /** Nothing helps any more. `code` as of MediaError: 2 network, 3 decoding, 4 not supported. */
  readonly onError: (code: 2 | 3 | 4, message: string) => void;
}

export class HlsPlayer {
  readonly #options: HlsPlayerOptions;
  readonly #playlists: PlaylistCache;
  readonly #held: HeldSegments;
  readonly #scope = new AbortController();
  /** Media playlists that hls.js has not loaded itself, by URL. */
  readonly #ahead = new Map<string, LevelDetails>();
  #hls: Hls | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #networkErrors = 0;
  #mediaRecoveryAt = -Infinity;
  #originWasGone = false;

  constructor(options: HlsPlayerOptions) {
    this.#options = options;
    this.#playlists = playlistCacheOf(options.mesh);
    this.#held = new HeldSegments(
      options.mesh,
      () => this.#nextDigests(),
      () => this.#onHeldChange(),
      this.#scope.signal,
    );
  }

  async start(): Promise<void> {
    const { media, onError } = this.#options;
    const { signal } = this.#scope;
    try {
      const module = await this.#loadModule(signal);
      if (signal.aborted) return;
      if (!module.default.isSupported())
        onError(4, 'This browser can play no HLS: it has no Media Source Extensions with H.264.');
      else this.#play(module, media, signal);
    } catch (error) {
      if (!signal.aborted) onError(2, `The player's code (hls.js) could not be loaded: ${String(error)}`);
    }
  }

  destroy(): void {
    this.#scope.abort();
    clearTimeout(this.#retryTimer);
    this.#hls?.destroy();
    this.#hls = null;
  }

  /** Playlist and player load side by side. A stream for the full build costs the light one on top, once; all others start a round trip earlier. */
  async #loadModule(signal: AbortSignal): Promise<HlsModule> {
    const { url, swarm } = this.#options;
    const playlist = this.#playlists.load(url, swarm, signal).catch(() => null); // hls.js asks again, and reports
    const light = loadLightBuild();
    light.catch(() => null);
    return needsFullBuild((await playlist)?.text ?? '') ? loadFullBuild() : light;
  }

  #play(module: HlsModule, media: HTMLMediaElement, signal: AbortSignal): void {
    const { mesh, swarm, url, preload, onInstance } = this.#options;
    const hls = new module.default(
      hlsConfig(module, preload, {
        fragments: {
          mesh,
          swarm,
          deadlineOf: (start) => deadlineOf(media, start),
          onFailure: () => this.#held.refresh(),
        },
        playlists: this.#playlists,
        choose: (_, suggested) => this.#choose(suggested),
      }),
    );
    this.#hls = hls;
    const { Events } = module;
    hls.on(Events.MANIFEST_PARSED, () => {
      if (preload === 'none')
        void this.#readPlaylist(module, hls.levels[hls.firstLevel]).then((details) => this.#readAhead(module, details));
    });
    hls.on(Events.LEVEL_LOADED, (_event, { details }) => this.#readAhead(module, details));
    hls.on(Events.FRAG_BUFFERED, () => (this.#networkErrors = 0));
    hls.on(Events.ERROR, (_event, data) => data.fatal && this.#onFatal(fatalError(module, data), data.error.message));
    media.addEventListener(
      'error',
      () => media.error && this.#onFatal({ kind: 'media', manifest: false, status: 0 }, media.error.message),
      { signal },
    );
    media.addEventListener('play', () => loadAll(hls, module, preload), { signal, once: true });
    media.addEventListener('seeking', () => this.#held.refresh(), { signal });
    hls.loadSource(url);
    hls.attachMedia(media);
    onInstance(hls);
    if (!media.paused) loadAll(hls, module, preload);
  }

  /** Of a VOD all renditions are known from the start: who holds what of them decides when the origin is gone. */
  #readAhead(module: HlsModule, details: LevelDetails | null): void {
    if (!details || details.live) return;
    for (const level of this.#hls?.levels ?? []) {
      if (!level.details) void this.#readPlaylist(module, level);
    }
  }

  async #readPlaylist(
    { M3U8Parser, PlaylistLevelType }: HlsModule,
    level: Level | undefined,
  ): Promise<LevelDetails | null> {
    if (!level) return null;
    const read = this.#ahead.get(level.uri);
    if (read) return read;
    try {
      const { text, url } = await this.#playlists.load(level.uri, this.#options.swarm, this.#scope.signal);
      const details = M3U8Parser.parseLevelPlaylist(text, url, 0, PlaylistLevelType.MAIN, 0, null);
      this.#ahead.set(level.uri, details);
      return details;
    } catch {
      return null; // hls.js asks for it when it needs it, and reports
    }
  }

  #choose(suggested: number): number {
    const hls = this.#hls;
    if (!hls || this.#options.mesh.stats.originReachable) return suggested;
    const renditions = hls.levels.map((level) => ({
      bitrate: level.bitrate,
      held: this.#nextSegments(level).map(({ digest }) => this.#held.of(digest)),
    }));
    return chooseRendition({
      renditions,
      suggested,
      originReachable: false,
      estimate: hls.bandwidthEstimate,
      cap: hls.maxAutoLevel,
    });
  }

  #nextSegments(level: Level): readonly Segment[] {
    const details = level.details ?? this.#ahead.get(level.uri);
    const { buffered, currentTime } = this.#options.media;
    return details ? segmentsAfter(segmentsOf(details), bufferedUntil(buffered, currentTime), HELD_AHEAD_SEGMENTS) : [];
  }

  #nextDigests(): readonly Digest[] {
    return (this.#hls?.levels ?? []).flatMap((level) =>
      this.#nextSegments(level).flatMap(({ digest }) => digest ?? []),
    );
  }

  #onHeldChange(): void {
    const gone = !this.#options.mesh.stats.originReachable;
    const back = this.#originWasGone && !gone;
    this.#originWasGone = gone;
    if (!back) return;
    // What failed while the origin was gone says nothing about a rendition: hls.js would never climb back to it.
    for (const level of this.#hls?.levels ?? []) level.fragmentError = level.loadError = 0;
    if (this.#retryTimer !== undefined) this.#loadAgain();
  }

  #onFatal(error: FatalError, message: string): void {
    const now = performance.now();
    const recovery = decideRecovery(error, {
      networkErrors: this.#networkErrors,
      sinceMediaRecovery: now - this.#mediaRecoveryAt,
    });
    switch (recovery.do) {
      case 'load-again':
        this.#networkErrors++;
        clearTimeout(this.#retryTimer);
        this.#retryTimer = setTimeout(() => this.#loadAgain(), recovery.afterMs);
        return;
      case 'recover-media':
        this.#mediaRecoveryAt = now;
        this.#hls?.recoverMediaError();
        return;
      case 'give-up':
        this.#options.onError(error.kind === 'network' ? 2 : error.kind === 'media' ? 3 : 4, message);
        return;
      default:
        recovery satisfies never;
    }
  }

  #loadAgain(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    const hls = this.#hls;
    if (hls?.levels.length === 0) hls.loadSource(this.#options.url);
    else hls?.startLoad();
  }
}

/** Milliseconds until the media element plays what is at `start` seconds, were it to play on from where it is. */
function deadlineOf(media: HTMLMediaElement, start: number): number {
  return Math.max(0, (1000 * (start - media.currentTime)) / (media.playbackRate || 1));
}

function fatalError(
  { ErrorTypes, ErrorDetails }: HlsModule,
  { type, details, response, context }: ErrorData,
): FatalError {
  const status = response?.code ?? 0;
  const manifest = details === ErrorDetails.MANIFEST_LOAD_ERROR || details === ErrorDetails.MANIFEST_LOAD_TIMEOUT;
  // A playlist that came and is none, and codecs that the browser lacks, stay what they are.
  const hopeless = !manifest && (context?.type as string | undefined) === 'manifest';
  if (hopeless || details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR)
    return { kind: 'other', manifest, status };
  const kind = type === ErrorTypes.NETWORK_ERROR ? 'network' : type === ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
  return { kind, manifest, status };
}
