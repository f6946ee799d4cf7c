/**
 * One stream in one native media element: owns the hls.js instance, from `start()` to `destroy()`. `<p2p-video>` makes a new one for each `src`.
 */
import type { ErrorData, default as Hls } from 'hls.js';
import type { MeshFace } from '../../mesh/index.ts';
import { loadFullBuild, loadLightBuild, needsFullBuild, type HlsModule } from './build.ts';
import { expectedAssets, Expectations } from './expected-assets.ts';
import type { Timing } from './fragment-loader.ts';
import { hlsConfig, loadAll, type Preload } from './hls-config.ts';
import { EXPECTED_AHEAD_S, LIVE_BEHIND_S, PLAYER_PATIENCE } from './limits.ts';
import { playlistCacheOf, type PlaylistCache } from './playlist-cache.ts';
import { decideRecovery, type FatalError } from './recovery.ts';
import { Renditions } from './renditions.ts';
import { bufferedUntil, segmentsOf, upcomingOf } from './segments.ts';

/** Who chooses the rendition: our controller, which knows the site's line, or hls.js's own as it is. */
export type Abr = 'swarm' | 'player';

export interface HlsPlayerOptions {
  readonly mesh: MeshFace;
  readonly media: HTMLMediaElement;
  /** Absolute URL of a multivariant or media playlist. */
  readonly url: string;
  readonly swarm: string | null;
  readonly preload: Preload;
  readonly abr: Abr;
  /** hls.js was created and the media element attached to it. */
  readonly onInstance: (hls: Hls) => void;
  /** Nothing helps any more. `code` as of MediaError: 2 network, 3 decoding, 4 not supported. */
  readonly onError: (code: 2 | 3 | 4, message: string) => void;
}

export class HlsPlayer {
  readonly #options: HlsPlayerOptions;
  readonly #playlists: PlaylistCache;
  readonly #renditions: Renditions;
  readonly #expectations: Expectations;
  readonly #scope = new AbortController();
  #hls: Hls | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #networkErrors = 0;
  #mediaRecoveryAt = -Infinity;
  /** False where `preload` holds back what is not asked for yet. */
  #loadsAll: boolean;

  constructor(options: HlsPlayerOptions) {
    this.#options = options;
    const { mesh, media, swarm, abr, preload } = options;
    this.#playlists = playlistCacheOf(mesh);
    this.#loadsAll = preload === 'auto';
    this.#expectations = new Expectations(mesh, swarm);
    this.#renditions = new Renditions({
      mesh,
      media,
      swarm,
      playlists: this.#playlists,
      choosing: abr === 'swarm',
      onOriginBack: () => this.#retryTimer !== undefined && this.#loadAgain(),
      signal: this.#scope.signal,
    });
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
    this.#expectations.tell([]);
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
    const { mesh, swarm, url, preload, abr, onInstance } = this.#options;
    const renditions = this.#renditions;
    const hls = new module.default(
      hlsConfig(module, preload, {
        fragments: {
          mesh,
          swarm,
          countsWaiting: abr === 'player',
          deadlineOf: (timing) => this.#deadlineOf(timing),
          onFailure: () => renditions.refresh(),
        },
        playlists: this.#playlists,
        choose: abr === 'swarm' ? (_, suggested) => renditions.choose(suggested) : null,
      }),
    );
    this.#hls = hls;
    hls.config.progressive = true; // here, for as an option it brings hls.js's own loader along
    renditions.attach(hls, module);
    this.#listen(hls, module, signal);
    media.addEventListener('play', () => this.#loadAll(hls, module), { signal, once: true });
    hls.loadSource(url);
    hls.attachMedia(media);
    onInstance(hls);
    if (!media.paused) this.#loadAll(hls, module);
  }

  #listen(hls: Hls, module: HlsModule, signal: AbortSignal): void {
    const { media, preload } = this.#options;
    const { Events } = module;
    const renditions = this.#renditions;
    hls.on(Events.MANIFEST_PARSED, () => {
      if (preload === 'none')
        void renditions
          .readPlaylist(module, hls.levels[hls.firstLevel])
          .then((details) => renditions.readAhead(module, details));
    });
    hls.on(Events.LEVEL_LOADED, (_event, { details }) => {
      renditions.readAhead(module, details);
      const { config } = hls;
      if (details.live) config.backBufferLength = Math.min(config.backBufferLength, LIVE_BEHIND_S);
    });
    hls.on(Events.FRAG_LOADED, () => renditions.refresh());
    hls.on(Events.FRAG_BUFFERED, () => (this.#networkErrors = 0));
    hls.on(Events.ERROR, (_event, data) => data.fatal && this.#onFatal(fatalError(module, data), data.error.message));
    for (const event of [
      ...[Events.FRAG_LOADING, Events.LEVEL_SWITCHING, Events.LEVEL_UPDATED, Events.AUDIO_TRACK_SWITCHING],
      ...[Events.AUDIO_TRACK_UPDATED, Events.SUBTITLE_TRACK_SWITCH, Events.SUBTITLE_TRACK_UPDATED],
    ] as const)
      hls.on(event, () => this.#tellExpected(hls));
    media.addEventListener(
      'error',
      () => media.error && this.#onFatal({ kind: 'media', manifest: false, status: 0 }, media.error.message),
      { signal },
    );
    media.addEventListener(
      'seeking',
      () => {
        this.#tellExpected(hls);
        renditions.refresh();
      },
      { signal },
    );
  }

  #loadAll(hls: Hls, module: HlsModule): void {
    this.#loadsAll = true;
    loadAll(hls, module, this.#options.preload);
  }

  /** What all tracks ask for next. While the first segment's rendition is a guess, nothing is fetched ahead of it. */
  #tellExpected(hls: Hls): void {
    if (!this.#loadsAll || !this.#hls) return;
    const { buffered, playbackRate } = this.#options.media;
    const playhead = this.#playhead();
    const from = bufferedUntil(buffered, playhead);
    const until = this.#renditions.isOpen ? from : from + EXPECTED_AHEAD_S;
    const tracks = [hls.audioTracks[hls.audioTrack]?.details, hls.subtitleTracks[hls.subtitleTrack]?.details];
    const besides = tracks.flatMap((details) => (details ? upcomingOf(segmentsOf(details), from, until) : []));
    const upcoming = [...this.#renditions.upcoming(from, until), ...besides];
    this.#expectations.tell(expectedAssets(upcoming, playhead, playbackRate));
  }

  /** Where the media element plays, or will begin to: a live stream not at 0, but it stands there until its first segment is in the buffer. */
  #playhead(): number {
    const { currentTime, buffered } = this.#options.media;
    return currentTime > 0 || buffered.length > 0 ? currentTime : Math.max(0, this.#hls?.startPosition ?? 0);
  }

  /** Milliseconds until the media element plays this, were it to play on from where it is. */
  #deadlineOf({ start, duration }: Timing): number {
    const { media, abr } = this.#options;
    const rate = media.playbackRate || 1;
    const deadline = Math.max(0, (1000 * (start - this.#playhead())) / rate);
    return abr === 'player' ? Math.min(deadline, (1000 * PLAYER_PATIENCE * duration) / rate) : deadline;
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
