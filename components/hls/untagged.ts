/**
 * Digests of segments whose playlist tells none: the digest service of the mesh's server may know them. What asks it is loaded by pages that need it;
 * here is what all have: when it is needed, and how long a segment waits for its name.
 */
import type { Fragment } from 'hls.js';
import type { MeshFace } from '../../mesh/index.ts';
import { DIGEST_TAG } from '../../protocol/playlist-tag.ts';
import { NAME_PATIENCE_MS, NAME_PATIENCE_PAUSE_MS, NAME_PATIENCE_SHARE, NAME_SPARE_MS } from './limits.ts';
import { nameKey, names } from './names.ts';

type Service = typeof import('./digest-service.ts');

let service: Promise<Service | null> | undefined;

/** Until when what is needed at once may wait, of `performance.now()`. */
let patientUntil = -Infinity;

/** Of a media playlist without tags the digests are asked for. */
export function noteUntagged(mesh: MeshFace, playlist: { readonly text: string; readonly url: string }): void {
  const { text } = playlist;
  if (!text.includes('#EXTINF') || text.includes(DIGEST_TAG)) return;
  service ??= import('./digest-service.ts').catch(() => null);
  void service.then((loaded) => loaded?.note(mesh, playlist));
}

/**
 * Resolves when the digest of a segment is known, or no more worth waiting for. Undefined: there is nothing to wait for.
 * @param deadline milliseconds until it is needed
 */
export function nameSoon(fragment: Pick<Fragment, 'url' | 'byteRange'>, deadline = 0): Promise<unknown> | undefined {
  const key = nameKey(fragment);
  if (!service || names.has(key)) return undefined;
  const patience = patienceOf(deadline);
  const late = new Promise((resolve) => setTimeout(resolve, patience));
  return Promise.race([late, service.then((loaded) => loaded?.named(key, patience))]);
}

/** What is needed at once has a single patience, however many segments and initialization segments that are. */
function patienceOf(deadline: number): number {
  const now = performance.now();
  if (now > patientUntil + NAME_PATIENCE_PAUSE_MS) patientUntil = now + NAME_PATIENCE_MS;
  return Math.max(patientUntil - now, Math.min(NAME_SPARE_MS, NAME_PATIENCE_SHARE * deadline));
}
