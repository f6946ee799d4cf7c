import type { HlsConfig, Loader, PlaylistLoaderContext } from 'hls.js';
import { MeshLoader, type Loaded } from './mesh-loader.ts';
import type { PlaylistCache } from './playlist-cache.ts';

/** hls.js's `pLoader`: playlists come through the page's cache. Those that the manifest lists (VOD) may come from neighbours, live ones only from the origin; the mesh counts both. */
export function playlistLoader(
  cache: PlaylistCache,
  swarm: string | null,
): new (config: HlsConfig) => Loader<PlaylistLoaderContext> {
  return class extends MeshLoader<PlaylistLoaderContext> {
    readonly #config: HlsConfig;

    constructor(config: HlsConfig) {
      super();
      this.#config = config;
    }

    protected override async request({ url }: PlaylistLoaderContext, signal: AbortSignal): Promise<Loaded> {
      const playlist = await cache.load(url, swarm, signal);
      // hls.js decrypts no chunks. It asks for this before it loads a segment and again while it parses: it must stay as it is from here on.
      if (isEncrypted(playlist.text)) this.#config.progressive = false;
      return { data: playlist.text, bytes: playlist.text.length, url: playlist.url };
    }
  };
}

const isEncrypted = (text: string): boolean => /^#EXT-X-KEY:(?!METHOD=NONE)/m.test(text);
