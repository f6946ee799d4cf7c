/**
 * The playlists of a page. What does not change (a VOD's media playlists, multivariant playlists) is asked of the origin once, whoever wants
 * it: the player, the look ahead at all renditions, a second element, an element that comes back. Live playlists are always fresh.
 */
import type { MeshFace } from '../../mesh/index.ts';
import { MAX_KEPT_CHARACTERS, MAX_KEPT_PLAYLISTS } from './limits.ts';
import { noteUntagged } from './untagged.ts';

export interface Playlist {
  readonly text: string;
  /** After redirects: what relative URLs in it are relative to. */
  readonly url: string;
}

interface UnderWay {
  readonly playlist: Promise<Playlist>;
  readonly controller: AbortController;
  waiting: number;
}

const caches = new WeakMap<MeshFace, PlaylistCache>();

export function playlistCacheOf(mesh: MeshFace): PlaylistCache {
  const cache = caches.get(mesh) ?? new PlaylistCache(mesh);
  caches.set(mesh, cache);
  return cache;
}

/** Will this playlist read the same tomorrow? RFC 8216: a media playlist with ENDLIST does not change; a multivariant one must not. */
export const isStable = (text: string): boolean => /^#EXT-X-(?:ENDLIST|STREAM-INF)\b/m.test(text);

export class PlaylistCache {
  readonly #mesh: MeshFace;
  readonly #kept = new Map<string, Playlist>();
  readonly #underWay = new Map<string, UnderWay>();

  constructor(mesh: MeshFace) {
    this.#mesh = mesh;
  }

  /** Those who ask for the same URL at the same time share one request; it ends when the last of them aborts. */
  async load(url: string, swarm: string | null, signal: AbortSignal): Promise<Playlist> {
    const kept = this.#kept.get(url);
    if (kept) return kept;
    const request = this.#underWay.get(url) ?? this.#request(url, swarm);
    request.waiting++;
    const leave = (): void => {
      if (--request.waiting === 0 && this.#underWay.get(url) === request) {
        this.#underWay.delete(url);
        request.controller.abort();
      }
    };
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      request.playlist.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
    });
  }

  #request(url: string, swarm: string | null): UnderWay {
    const controller = new AbortController();
    // The first segment waits for it, and it is small: better once too often over the line than late.
    const options = { urgent: true, signal: controller.signal, ...(swarm !== null && { swarm }) };
    const playlist = this.#mesh.load(url, options).then((asset) => {
      const loaded = { text: new TextDecoder().decode(asset.body), url: asset.url || url };
      this.#keep(url, loaded);
      noteUntagged(this.#mesh, loaded);
      return loaded;
    });
    const request = { playlist, controller, waiting: 0 };
    this.#underWay.set(url, request);
    const done = (): void => {
      if (this.#underWay.get(url) === request) this.#underWay.delete(url);
    };
    playlist.then(done, done);
    return request;
  }

  #keep(url: string, playlist: Playlist): void {
    if (!isStable(playlist.text) || playlist.text.length > MAX_KEPT_CHARACTERS) return;
    this.#kept.set(url, playlist);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_PLAYLISTS && oldest !== undefined) this.#kept.delete(oldest);
  }
}
