/** Asks the digest service of the mesh's server for the digests of playlists without tags. One for a page; loaded by `untagged.ts`. */
import type { Fragment } from 'hls.js';
import { namesOfPlaylist } from '../../mesh/digests.ts';
import { debugOnce, type LoadedAsset, type MeshFace } from '../../mesh/index.ts';
import { P2PError } from '../../protocol/error.ts';
import { NAME_PATIENCE_MS } from './limits.ts';
import { nameKey, names } from './names.ts';

/** Milliseconds after which what is needed at once may wait for NAME_PATIENCE_MS again, as after a seek. */
export const NAME_PATIENCE_PAUSE_MS = 10_000;

/** What is needed later waits for its digest for this share of the time there is, at most NAME_SPARE_MS: the service takes about as long for a new segment as we would. */
const NAME_PATIENCE_SHARE = 0.25;
export const NAME_SPARE_MS = 2000;

/** Milliseconds between two questions about a playlist, at least; half a second is what the service itself looks at a live one. */
const ASK_AGAIN_MS = 1000;

/** The same for segments that wait: twice as long each time, up to this. */
const ASK_AGAIN_MAX_MS = 16_000;

/** Bytes of segments that came before their digests, and milliseconds for which they are kept. The oldest go first. */
const MAX_NAMELESS_BYTES = 16 * 1024 * 1024;
const NAMELESS_MS = 60_000;

/** Milliseconds after which who waits for a name looks whether to ask again. */
const LOOK_AGAIN_MS = 250;

/** Milliseconds for which a service that failed is not asked again. One that is not there, or not for this origin, is not asked any more. */
const FAILED_MS = 60_000;

/** The same of one that is busy: it says 503 and to come again in 2 s (docs/wire.md). */
const BUSY_MS = 3000;

/** Digests kept for a page: those of several films in all renditions. The oldest go first. */
const MAX_NAMES = 50_000;

/** Playlists kept for a page. A live one may have another URL each time. */
const MAX_PLAYLISTS = 100;

interface Asked {
  readonly mesh: MeshFace;
  readonly url: string;
  /** Its player loads it again and again, and so it is asked about. */
  isLive: boolean;
  /** Is all known that will be? */
  isComplete: boolean;
  /** When it was asked about last, of `performance.now()`. */
  at: number;
  /** Until when the service is not asked, for it failed. */
  deafUntil: number;
  request: Promise<void> | null;
}

/** A segment, and by `baseurl` the playlist that lists it. */
type Listed = Pick<Fragment, 'url' | 'byteRange' | 'baseurl'>;

/** A segment that came before its digest was known. */
export interface Nameless {
  readonly source: { readonly mesh: MeshFace; readonly swarm: string | null };
  readonly fragment: Listed;
  readonly asset: Pick<LoadedAsset, 'body' | 'contentType'>;
}

/** By URL. */
const playlists = new Map<string, Asked>();

/** Web origins whose playlists the service does not take: it is not there, or was not told of them. */
const refused = new Set<string>();

/** By URL and range, the oldest first. */
const nameless = new Map<string, Nameless & { readonly at: number }>();

/** While some wait the service is asked again, less and less often as long as it has nothing new. */
let askAgain: ReturnType<typeof setTimeout> | undefined;
let askAgainMs = ASK_AGAIN_MS;

/** Until when what is needed at once may wait, of `performance.now()`. */
let patientUntil = -Infinity;

/** A playlist without tags was loaded. */
export function note(mesh: MeshFace, { url, text }: { readonly url: string; readonly text: string }): void {
  const isLive = !text.includes('#EXT-X-ENDLIST');
  const asked = playlists.get(url) ?? {
    mesh,
    url,
    isLive,
    isComplete: false,
    at: -Infinity,
    deafUntil: 0,
    request: null,
  };
  playlists.set(url, asked);
  trim(playlists, MAX_PLAYLISTS);
  asked.isLive = isLive;
  // What moves lists something else each time.
  if (isLive) asked.isComplete = false;
  void ask(asked);
}

/**
 * Resolves when the name of a segment is known, or is no more worth waiting for.
 * @param deadline milliseconds until the segment is needed
 */
export async function named(fragment: Listed, deadline = 0): Promise<void> {
  const key = nameKey(fragment);
  const end = performance.now() + patienceOf(deadline);
  for (;;) {
    const asked = playlists.get(fragment.baseurl);
    if (names.has(key) || performance.now() >= end || !asked || !isOpen(asked)) return;
    await Promise.race([ask(asked), pause(end - performance.now())]);
    if (!names.has(key)) await pause(Math.min(LOOK_AGAIN_MS, end - performance.now()));
  }
}

/** Keeps a segment until its digest is known, then hands it out. */
export function awaitName(segment: Nameless): void {
  const key = nameKey(segment.fragment);
  nameless.delete(key); // so that it is the newest
  nameless.set(key, { ...segment, at: performance.now() });
  handOut();
}

/** What has a name by now. What has none and is old, too much, or in no playlist that will tell one, is dropped. */
function handOut(): void {
  const oldest = performance.now() - NAMELESS_MS;
  let bytes = 0;
  for (const [key, { source, fragment, asset, at }] of [...nameless].reverse()) {
    const name = names.get(key);
    if (name) {
      nameless.delete(key);
      askAgainMs = ASK_AGAIN_MS;
      const { body, contentType } = asset;
      const { mesh, swarm } = source;
      mesh.keep(fragment.url, { name, body, contentType, ...(swarm !== null && { swarm }) });
      continue;
    }
    bytes += asset.body.byteLength;
    if (at < oldest || bytes > MAX_NAMELESS_BYTES || !willTell(fragment.baseurl)) nameless.delete(key);
  }
  if (nameless.size > 0) askAgain ??= setTimeout(askForNameless, askAgainMs);
  else {
    clearTimeout(askAgain);
    askAgain = undefined;
  }
}

/** For what waits: whoever plays asks for what is to come anyway. */
function askForNameless(): void {
  askAgain = undefined;
  askAgainMs = Math.min(2 * askAgainMs, ASK_AGAIN_MAX_MS);
  for (const url of new Set([...nameless.values()].map(({ fragment }) => fragment.baseurl))) {
    const asked = playlists.get(url);
    if (asked && !asked.isLive && isOpen(asked)) void ask(asked);
  }
  handOut();
}

/** May names of what this playlist lists still come? */
function willTell(playlist: string): boolean {
  const asked = playlists.get(playlist);
  return asked !== undefined && !asked.isComplete && !refused.has(originOf(asked));
}

/** What is needed at once has a single patience, however many segments and initialization segments that are. */
function patienceOf(deadline: number): number {
  const now = performance.now();
  if (now > patientUntil + NAME_PATIENCE_PAUSE_MS) patientUntil = now + NAME_PATIENCE_MS;
  return Math.max(patientUntil - now, Math.min(NAME_SPARE_MS, NAME_PATIENCE_SHARE * deadline));
}

/** Those who ask meanwhile share it. Never rejects. */
function ask(asked: Asked): Promise<void> {
  if (!asked.request && !isDeaf(asked) && performance.now() >= asked.at + ASK_AGAIN_MS) {
    asked.at = performance.now();
    asked.request = request(asked)
      .catch((error: unknown) => {
        const status = error instanceof P2PError ? Number(error.details['status']) : NaN;
        if (status >= 400 && status < 500) refused.add(originOf(asked));
        debugOnce(`no digests of ${originOf(asked)}: ${String(error)}`);
        asked.deafUntil = performance.now() + (status === 503 ? BUSY_MS : FAILED_MS);
      })
      .finally(() => {
        asked.request = null;
        handOut();
      });
  }
  return asked.request ?? Promise.resolve();
}

async function request(asked: Asked): Promise<void> {
  const server = await asked.mesh.server();
  // The viewer has not agreed yet: it is not told what they watch.
  if (server === null) return void (asked.deafUntil = performance.now() + ASK_AGAIN_MS);
  // Its own playlists the server has tagged as far as it could.
  if (server === originOf(asked)) return void refused.add(originOf(asked));
  const known = await namesOfPlaylist(server, asked.url);
  for (const [key, name] of known.names) names.set(key, name);
  trim(names, MAX_NAMES);
  asked.isComplete = known.complete;
}

const originOf = ({ url }: Asked): string => new URL(url).origin;

const isDeaf = (asked: Asked): boolean => asked.deafUntil > performance.now() || refused.has(originOf(asked));

const isOpen = (asked: Asked): boolean => !asked.isComplete && !isDeaf(asked);

/** The oldest go first. */
function trim(map: Map<string, unknown>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
