import type { HlsConfig, Loader, PlaylistLoaderContext } from 'hls.js';
import { MeshLoader, type Loaded } from './mesh-loader.ts';
import type { PlaylistCache } from './playlist-cache.ts';

/** hls.js's `pLoader`: playlists come through the page's cache. Those that the manifest lists (VOD) may come from neighbours, live ones only from the origin; the mesh counts both. */
export function playlistLoader(
  cache: PlaylistCache,
  swarm: string | null,
): new (config: HlsConfig) => Loader<PlaylistLoaderContext> {
  return class extends MeshLoader<PlaylistLoaderContext> {
    protected override async request({ url }: PlaylistLoaderContext, signal: AbortSignal): Promise<Loaded> {
      const playlist = await cache.load(url, swarm, signal);
      return { data: playlist.text, bytes: playlist.text.length, url: playlist.url };
    }
  };
}
