import type { default as Hls, HlsConfig, LoaderResponse, RetryConfig } from 'hls.js';
import { abrController, type Choose } from './abr-controller.ts';
import type { HlsModule } from './build.ts';
import { fragmentLoader, type FragmentSource } from './fragment-loader.ts';
import { FIRST_BYTE_MS, RETRY_MAX_MS, SEGMENT_RETRY_MS } from './limits.ts';
import type { PlaylistCache } from './playlist-cache.ts';
import { playlistLoader } from './playlist-loader.ts';

/** As of the native attribute. `auto` is what hls.js does by itself. */
export type Preload = 'auto' | 'metadata' | 'none';

export interface PlayerParts {
  readonly fragments: FragmentSource;
  readonly playlists: PlaylistCache;
  /** null: hls.js chooses by itself. */
  readonly choose: Choose | null;
}

/** What differs from hls.js's defaults: who loads, who chooses, and how it takes an origin that is gone. */
export function hlsConfig(
  module: HlsModule,
  preload: Preload,
  { fragments, playlists, choose }: PlayerParts,
): Partial<HlsConfig> {
  const { abrController: Base, fragLoadPolicy, playlistLoadPolicy } = module.default.DefaultConfig;
  const fragmentPolicy = fragLoadPolicy.default;
  const playlistPolicy = playlistLoadPolicy.default;
  return {
    fLoader: fragmentLoader(fragments),
    pLoader: playlistLoader(playlists, fragments.swarm),
    ...(choose && { abrController: abrController(Base, choose) }),
    fragLoadPolicy: {
      default: {
        ...fragmentPolicy,
        maxTimeToFirstByteMs: FIRST_BYTE_MS,
        errorRetry: patient(fragmentPolicy.errorRetry, SEGMENT_RETRY_MS),
      },
    },
    playlistLoadPolicy: { default: { ...playlistPolicy, errorRetry: patient(playlistPolicy.errorRetry) } },
    autoStartLoad: preload !== 'none',
    // One segment is enough to know size and duration, and shows the first picture.
    ...(preload === 'metadata' && { maxBufferLength: 1, maxBufferSize: 1 }),
  };
}

/** Loads what `preload` has held back. */
export function loadAll(hls: Hls, module: HlsModule, preload: Preload): void {
  const { maxBufferLength, maxBufferSize } = module.default.DefaultConfig;
  if (preload === 'metadata') Object.assign(hls.config, { maxBufferLength, maxBufferSize });
  if (preload === 'none') hls.startLoad();
}

/**
 * To hls.js a request without any answer (status 0) is one that must not be tried again, and its rendition is put aside. Here it means that
 * neither a neighbour nor the origin had it just now, so the rendition is as good as before.
 */
function patient(retry: RetryConfig | null, retryDelayMs = retry?.retryDelayMs ?? RETRY_MAX_MS): RetryConfig {
  const maxNumRetry = retry?.maxNumRetry ?? 0;
  return {
    maxNumRetry,
    retryDelayMs,
    maxRetryDelayMs: RETRY_MAX_MS,
    shouldRetry: (
      _config,
      count: number,
      _isTimeout: boolean,
      response: LoaderResponse | undefined,
      retries: boolean,
    ) => retries || (response?.code === 0 && count < maxNumRetry),
  };
}
