/** Makes `/live/index.m3u8` from a VOD playlist of the media folder. Owns when the stream began. */
import { join } from 'node:path';
import type { AssetName } from '../../protocol/ids.ts';
import type { Digests } from '../digests/digests.ts';
import { readMediaLibrary } from '../digests/media-library.ts';
import { taggedWhenServed } from '../digests/select-assets.ts';
import { SharedFlight } from '../http/shared-flight.ts';
import { LIVE_PLAYLIST_WAIT_MS, LIVE_SEARCH_AGAIN_MS } from '../limits.ts';
import { fileOfReference, urlOfFile } from '../media-path.ts';
import { within } from '../within.ts';
import { livePlaylist, type LiveMap, type LiveSegment } from './live-playlist.ts';
import type { InitSegment, Listed, MediaPlaylist, Segment } from './playlist.ts';
import { readPlaylist, type ReadPlaylist } from './read-playlist.ts';
import { listedIn } from './tag-playlist.ts';

export class LiveStream {
  readonly #folder: string;
  readonly #digests: Digests;
  readonly #now: () => number;
  readonly #startedAt: number;
  #source: string | undefined;
  readonly #search: SharedFlight<string | undefined>;
  /** When it was searched for last, in vain. */
  #searchedAt = -Infinity;

  /** @param now milliseconds since 1970 */
  constructor(folder: string, digests: Digests, now: () => number = Date.now) {
    this.#folder = folder;
    this.#digests = digests;
    this.#now = now;
    this.#startedAt = now();
    this.#search = new SharedFlight(async () => {
      const found = liveSource((await readMediaLibrary(folder, taggedWhenServed)).readPlaylists);
      if (found === undefined) this.#searchedAt = now();
      return found;
    });
  }

  /** @returns the playlist as of now, or undefined if the folder has no VOD that can be looped */
  async playlist(): Promise<string | undefined> {
    // the folder is searched once, and where there is nothing not for each who asks: a stream that changes its source is no stream
    if (this.#source === undefined && this.#now() - this.#searchedAt >= LIVE_SEARCH_AGAIN_MS)
      this.#source = await this.#search.run();
    if (this.#source === undefined) return undefined;
    const read = await readPlaylist(join(this.#folder, this.#source));
    if (read === undefined || !isLoopable(this.#source, read)) {
      this.#source = undefined;
      return undefined;
    }
    const segments = await this.#segments(this.#source, read.playlist);
    return livePlaylist(segments, this.#now(), this.#startedAt);
  }

  async #segments(source: string, playlist: MediaPlaylist): Promise<LiveSegment[]> {
    const names = new Map<Listed, AssetName | undefined>();
    const all = listedIn(playlist).map(async (listed) => {
      const file = listed.taggable ? fileOfReference(source, listed.uri) : undefined;
      if (file !== undefined)
        names.set(listed, await this.#digests.nameOf(join(this.#folder, file), listed.range, { urgent: true }));
    });
    await within(LIVE_PLAYLIST_WAIT_MS, Promise.all(all));
    const mapOf = (map: InitSegment): LiveMap => ({ attributes: rootedMap(source, map), name: names.get(map) });
    return playlist.segments.map((segment) => ({
      uri: rooted(source, segment.uri),
      duration: segment.duration,
      name: names.get(segment),
      map: segment.map && mapOf(segment.map),
      discontinuity: segment.discontinuity,
    }));
  }
}

/** The playlist to loop: the first rendition of the first multivariant playlist, else the first VOD playlist; undefined if none can be. */
export function liveSource(playlists: ReadonlyMap<string, ReadPlaylist>): string | undefined {
  const renditions = [...playlists].flatMap(([path, { playlist }]) =>
    playlist.kind === 'multivariant' ? playlist.playlists.flatMap((uri) => fileOfReference(path, uri) ?? []) : [],
  );
  return [...renditions, ...playlists.keys()].find((path) => {
    const read = playlists.get(path);
    return read !== undefined && isLoopable(path, read);
  });
}

/** Encrypted segments can't be looped: without an explicit IV, it is the media sequence number, which differs in the loop. */
function isLoopable(path: string, read: ReadPlaylist): read is ReadPlaylist & { readonly playlist: MediaPlaylist } {
  const { playlist } = read;
  const isOurs = ({ taggable, range, uri }: Segment): boolean =>
    taggable && !range && fileOfReference(path, uri) !== undefined;
  return (
    playlist.kind === 'media' &&
    playlist.ended &&
    playlist.keys.length === 0 &&
    playlist.segments.some(({ duration }) => duration > 0) &&
    playlist.segments.every(isOurs)
  );
}

const rooted = (source: string, uri: string): string => {
  const file = fileOfReference(source, uri);
  return file === undefined ? uri : urlOfFile(file);
};

const rootedMap = (source: string, { attributes, uri }: InitSegment): string =>
  attributes.replace(`URI="${uri}"`, () => `URI="${rooted(source, uri)}"`);
