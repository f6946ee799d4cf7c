import { join } from 'node:path';
import type { Digests } from '../digests/digests.ts';
import { LIVE_PLAYLIST_WAIT_MS, VOD_PLAYLIST_WAIT_MS } from '../limits.ts';
import { fileOfReference } from '../media-path.ts';
import { within } from '../within.ts';
import { isTaggable, type MediaPlaylist, type Segment } from './playlist.ts';
import { readPlaylist } from './read-playlist.ts';
import { tagPlaylist, type TagDecision } from './tag-playlist.ts';

export interface RenderedPlaylist {
  /** As it is served. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Every digest that it can have is in it. Otherwise some were not known in time. */
  readonly complete: boolean;
}

/**
 * A playlist of the media folder as clients get it: with a digest tag before each segment that is a file of the folder.
 * Waits for hashing, a VOD playlist 8 s and a live one 1 s at most; then the tags that are missing are left out.
 * @param relative path below `folder`
 * @returns undefined if there is no such playlist
 */
export async function renderPlaylist(
  folder: string,
  relative: string,
  digests: Digests,
): Promise<RenderedPlaylist | undefined> {
  const read = await readPlaylist(join(folder, relative));
  if (read === undefined) return undefined;
  const { text, playlist } = read;
  if (playlist.kind === 'multivariant') return { body: encode(text), complete: true };
  const { decisions, complete } = await decide(folder, relative, playlist, digests);
  return { body: encode(tagPlaylist(text, playlist, decisions)), complete };
}

async function decide(
  folder: string,
  relative: string,
  playlist: MediaPlaylist,
  digests: Digests,
): Promise<{ decisions: TagDecision[]; complete: boolean }> {
  const decisions: TagDecision[] = playlist.segments.map(() => 'none');
  const all = Promise.all(
    playlist.segments.map(async (segment, index) => {
      decisions[index] = await decideSegment(folder, relative, segment, digests);
    }),
  );
  const complete = await within(playlist.ended ? VOD_PLAYLIST_WAIT_MS : LIVE_PLAYLIST_WAIT_MS, all);
  return { decisions: [...decisions], complete };
}

async function decideSegment(
  folder: string,
  playlist: string,
  segment: Segment,
  digests: Digests,
): Promise<TagDecision> {
  const file = fileOfReference(playlist, segment.uri);
  if (file === undefined) return 'keep';
  if (!isTaggable(segment)) return 'none';
  const digest = await digests.of(join(folder, file), { urgent: true });
  return digest?.whole ?? 'none';
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
