import { join } from 'node:path';
import type { AssetName } from '../../protocol/ids.ts';
import type { Digests } from '../digests/digests.ts';
import { statFile, versionOf } from '../digests/hash-file.ts';
import { LIVE_PLAYLIST_WAIT_MS, VOD_PLAYLIST_WAIT_MS } from '../limits.ts';
import { fileOfReference } from '../media-path.ts';
import { within } from '../within.ts';
import type { Listed, MediaPlaylist } from './playlist.ts';
import { readPlaylist } from './read-playlist.ts';
import { listedIn, tagPlaylist, type TagDecision } from './tag-playlist.ts';

export interface RenderedPlaylist {
  /** As it is served. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Every digest that it can have is in it. Otherwise some were not known in time. */
  readonly complete: boolean;
  /** What the tags name that are of our own files. */
  readonly names: readonly AssetName[];
}

export interface RenderOptions {
  /** URL path of the folder, with both slashes. Default `/media/`. */
  readonly prefix?: string | undefined;
  /** Wait until all is hashed? Default: no. */
  readonly isPatient?: boolean;
}

const flights = new WeakMap<Digests, Map<string, Promise<RenderedPlaylist | undefined>>>();

/** As `renderPlaylist`, for whoever asks while it is made: a large one takes a `stat` for each segment, and all viewers of a live stream ask again and again. */
export async function sharedPlaylist(
  folder: string,
  relative: string,
  digests: Digests,
  { prefix }: Pick<RenderOptions, 'prefix'> = {},
): Promise<RenderedPlaylist | undefined> {
  const running = flights.get(digests) ?? new Map<string, Promise<RenderedPlaylist | undefined>>();
  flights.set(digests, running);
  const stats = await statFile(join(folder, relative));
  // of a live one the latest, not what is read for somebody else just now
  const key = JSON.stringify([folder, relative, prefix, stats && versionOf(stats)]);
  const rendered =
    running.get(key) ??
    renderPlaylist(folder, relative, digests, { prefix }).finally(() => {
      running.delete(key);
    });
  running.set(key, rendered);
  return rendered;
}

/**
 * A playlist of the media folder as clients get it: with a digest tag before each segment that is a file of the folder, or a range of one.
 * Waits for hashing, a VOD playlist 8 s and a live one 1 s at most; then the tags that are missing are left out.
 * @param relative path below `folder`
 * @returns undefined if there is no such playlist
 */
export async function renderPlaylist(
  folder: string,
  relative: string,
  digests: Digests,
  options: RenderOptions = {},
): Promise<RenderedPlaylist | undefined> {
  const read = await readPlaylist(join(folder, relative));
  if (read === undefined) return undefined;
  const { text, playlist } = read;
  if (playlist.kind === 'multivariant') return { body: encode(text), complete: true, names: [] };
  const { decisions, complete } = await decide(folder, relative, playlist, digests, options);
  const names = [...decisions.values()].filter((decision) => typeof decision !== 'string');
  return { body: encode(tagPlaylist(text, playlist, decisions)), complete, names };
}

async function decide(
  folder: string,
  relative: string,
  playlist: MediaPlaylist,
  digests: Digests,
  { prefix, isPatient = false }: RenderOptions,
): Promise<{ decisions: ReadonlyMap<Listed, TagDecision>; complete: boolean }> {
  const decisions = new Map<Listed, TagDecision>();
  const all = Promise.all(
    listedIn(playlist).map(async (listed) => {
      const file = fileOfReference(relative, listed.uri, prefix);
      decisions.set(listed, file === undefined ? 'keep' : 'none');
      if (file !== undefined && listed.taggable)
        decisions.set(listed, (await digests.nameOf(join(folder, file), listed.range, { urgent: true })) ?? 'none');
    }),
  );
  const wait = playlist.ended ? VOD_PLAYLIST_WAIT_MS : LIVE_PLAYLIST_WAIT_MS;
  const complete = await (isPatient ? all.then(() => true) : within(wait, all));
  return { decisions: new Map(decisions), complete };
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
