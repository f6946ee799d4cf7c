/**
 * Segments whose playlist tells no digests: the digest service of the mesh's server may know them. What asks it is loaded by pages that need it; here is
 * what all have.
 */
import type { Fragment } from 'hls.js';
import type { LoadedAsset, MeshFace } from '../../mesh/index.ts';
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';
import { NAME_PATIENCE_MS } from './limits.ts';
import type { Nameless } from './digest-service.ts';
import { nameOfFragment } from './segments.ts';

type Service = typeof import('./digest-service.ts');

let service: Promise<Service | null> | undefined;

/** Of a media playlist without tags the digests are asked for. */
export function noteUntagged(mesh: MeshFace, playlist: { readonly text: string; readonly url: string }): void {
  if (!playlist.text.includes('#EXTINF') || playlist.text.includes(DIGEST_TAG)) return;
  service ??= import('./digest-service.ts').catch(() => null);
  void service.then((loaded) => loaded?.note(mesh, playlist));
}

/** What came before its digest was known is handed out once it is. */
export function shareOnceNamed(source: Nameless['source'], fragment: Nameless['fragment'], asset: LoadedAsset): void {
  if (!asset.shareable) return;
  // What the player is given it may take apart.
  const copy = { ...asset, body: asset.body.slice() };
  void service?.then((loaded) => loaded?.awaitName({ source, fragment, asset: copy }));
}

/**
 * Resolves when the digest of a segment is known, or no more worth waiting for. Undefined: there is nothing to wait for.
 * @param deadline milliseconds until it is needed
 */
export function nameSoon(
  fragment: Pick<Fragment, 'tagList' | 'byteRange' | 'url' | 'baseurl'>,
  deadline?: number,
): Promise<unknown> | undefined {
  if (!service || nameOfFragment(fragment)) return undefined;
  let isHere = false;
  return Promise.race([
    service.then((loaded) => {
      isHere = true;
      return loaded?.named(fragment, deadline);
    }),
    // Until then nothing can say how long.
    new Promise<void>((resolve) => setTimeout(() => isHere || resolve(), NAME_PATIENCE_MS)),
  ]);
}
