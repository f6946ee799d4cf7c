import type { MediaPlaylist, Playlist } from '../playlist/playlist.ts';
import { listedIn } from '../playlist/tag-playlist.ts';
import { withoutFragment } from '../../protocol/without-fragment.ts';
import { MAX_MEDIA_PLAYLISTS, MAX_PLAYLIST_ASSETS, MAX_URL_CHARACTERS } from './limits.ts';
import type { RemoteAsset } from './remote-asset.ts';

/**
 * The segments and initialization segments of a media playlist, each once, in order; keys are not among them.
 * @param base URL of the playlist after redirects
 * @param admits tells which URLs may be read
 */
export function listedAssets(playlist: MediaPlaylist, base: string, admits: (url: string) => boolean): RemoteAsset[] {
  const keys = new Set(playlist.keys.flatMap((uri) => absolute(uri, base) ?? []));
  const found = new Map<string, RemoteAsset>();
  for (const { uri, range, taggable } of listedIn(playlist)) {
    const url = taggable ? absolute(uri, base) : undefined;
    if (url === undefined || keys.has(url) || !admits(url)) continue;
    if (found.size >= MAX_PLAYLIST_ASSETS) break;
    found.set(range ? `${url} ${range.start}-${range.end}` : url, { url, range });
  }
  return [...found.values()];
}

/** The media playlists of a multivariant one. */
export function mediaPlaylists(playlist: Playlist, base: string, admits: (url: string) => boolean): string[] {
  if (playlist.kind === 'media') return [];
  const urls = playlist.playlists.flatMap((uri) => absolute(uri, base) ?? []).filter(admits);
  return [...new Set(urls)].slice(0, MAX_MEDIA_PLAYLISTS);
}

/** In the form that browsers have it in, so that URLs can be compared as text. */
function absolute(uri: string, base: string): string | undefined {
  if (!URL.canParse(uri, base)) return undefined;
  const url = withoutFragment(new URL(uri, base).href);
  return url.length > MAX_URL_CHARACTERS ? undefined : url;
}
