/** Builds the manifest that our own server gives out, from digests that are known or can be had in time. */
import { join } from 'node:path';
import createDebug from 'debug';
import type { Manifest, ManifestEntry } from '../../protocol/manifest.ts';
import { MANIFEST_WAIT_MS, MAX_PLAYLIST_BYTES } from '../limits.ts';
import { MEDIA_PREFIX, urlOfFile } from '../media-path.ts';
import { renderPlaylist } from '../playlist/render-playlist.ts';
import { within } from '../within.ts';
import type { Digests } from './digests.ts';
import { entryOfBody, entryOfFile, manifestOf } from './manifest-entry.ts';
import { readMediaLibrary } from './media-library.ts';
import { taggedWhenServed } from './select-assets.ts';
import { shellFiles, type ShellFolders } from './shell-files.ts';

const debug = createDebug('p2p:server:manifest');

/** URL path of the leaves on our server. */
export const LEAVES_PREFIX = '/p2p/leaves/';

export interface ManifestOptions {
  /** Milliseconds that hashing may take. Default 2 s. */
  readonly waitMs?: number;
  readonly shell?: ShellFolders;
  /** URL path of the media folder, with both slashes. Default `/media/`. */
  readonly prefix?: string;
}

/**
 * The manifest of a media folder, and of the kit and the demo where these are told. Waits 2 s for hashing at most: what is not known by then is in a later one.
 * A file that can't be read is left out.
 */
export async function serveManifest(
  folder: string,
  digests: Digests,
  { waitMs = MANIFEST_WAIT_MS, shell, prefix = MEDIA_PREFIX }: ManifestOptions = {},
): Promise<Manifest> {
  const library = await readMediaLibrary(folder, taggedWhenServed, prefix);
  const files = [
    ...(shell ? await shellFiles(shell) : []),
    ...library.files.map((path) => ({ path: join(folder, path), url: urlOfFile(path, prefix) })),
  ];
  const entries = new Map<string, ManifestEntry>();
  const add = async (url: string, entry: () => Promise<ManifestEntry | undefined>): Promise<void> => {
    try {
      const made = await entry();
      if (made !== undefined) entries.set(url, made);
    } catch (error) {
      debug('%s is left out: %o', url, error);
    }
  };
  await within(
    waitMs,
    Promise.all([
      ...library.playlists.map((path) =>
        add(urlOfFile(path, prefix), () => playlistEntry(folder, path, digests, prefix)),
      ),
      ...files.map(({ path, url }) =>
        add(url, async () => {
          const digest = await digests.of(path, { settled: true });
          return digest === undefined ? undefined : entryOfFile(path, digest);
        }),
      ),
    ]),
  );
  return manifestOf(LEAVES_PREFIX, entries);
}

/** The entry of a playlist as it is served; none while some of its tags are not known, since its bytes will change then. */
async function playlistEntry(
  folder: string,
  path: string,
  digests: Digests,
  prefix: string,
): Promise<ManifestEntry | undefined> {
  const rendered = await renderPlaylist(folder, path, digests, { prefix });
  if (rendered?.complete !== true || rendered.body.length === 0 || rendered.body.length > 4 * MAX_PLAYLIST_BYTES)
    return undefined;
  return entryOfBody(path, rendered.body, digests);
}
