import type { Context } from 'koa';
import type { Digests } from '../digests/digests.ts';
import { MEDIA_MAX_AGE_SECONDS } from '../limits.ts';
import { fileOfUrl, MEDIA_PREFIX } from '../media-path.ts';
import { isPlaylistPath } from '../playlist/read-playlist.ts';
import { sharedPlaylist } from '../playlist/render-playlist.ts';
import { mediaType } from '../content-type.ts';
import { sendBody } from './send-body.ts';
import { sendFile } from './send-file.ts';

/** A file of the media folder; playlists with their digest tags, and always asked for anew. */
export async function sendMedia(context: Context, folder: string, digests: Digests): Promise<void> {
  const encoded = context.path.slice(MEDIA_PREFIX.length);
  const file = fileOfUrl(encoded);
  const isPlaylist = file !== undefined && isPlaylistPath(file);
  if (isPlaylist && (await sendPlaylist(context, { folder, file }, digests))) return;
  const cache = isPlaylist ? 'no-cache' : `public, max-age=${MEDIA_MAX_AGE_SECONDS}`;
  await sendFile(context, { root: folder, path: `/${encoded}`, cache });
}

/** @param place the file, below the folder @returns false: there is no such playlist, and nothing was sent */
export async function sendPlaylist(
  context: Context,
  { folder, file, prefix }: { readonly folder: string; readonly file: string; readonly prefix?: string },
  digests: Digests,
): Promise<boolean> {
  const rendered = await sharedPlaylist(folder, file, digests, { prefix });
  if (rendered === undefined) return false;
  await sendBody(context, rendered.body, { type: mediaType(file), cache: 'no-cache' });
  return true;
}
