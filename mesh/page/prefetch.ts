/** Brings content onto this device before it is needed. A module of its own, for few pages do. */
import type { Fragment } from 'hls.js';
import { P2PError } from '../../protocol/error.ts';
import type { Digest } from '../../protocol/ids.ts';
import { MAX_PART_BYTES } from '../../protocol/limits.ts';
import type { Held, ShareableFile } from '../../protocol/page.ts';
import { nameInTags } from '../../protocol/playlist-tag.ts';
import { swarmOfStream } from '../../protocol/swarm.ts';
import { withoutFragment } from '../../protocol/without-fragment.ts';
import { AHEAD_AT_ONCE, NAMES_AGAIN_MS, NAMES_SILENCE_MS } from '../tabs/limits.ts';
import { namesOfPlaylist, type DigestNames } from './digest-names.ts';
import type { LoadedAsset, LoadOptions, MeshFace, Prefetched, PrefetchOptions } from './types.ts';
import { warnOnce } from './warn.ts';

export interface PrefetchPorts {
  /** Those of these URLs that the manifest lists. */
  readonly listed: (urls: readonly string[]) => Promise<readonly ShareableFile[]>;
  /** Who holds these, once all that was loaded is on the disk. */
  readonly kept: (digests: readonly Digest[]) => Promise<readonly Held[]>;
}

/** One asset to be brought. */
interface Item {
  readonly url: string;
  readonly options: Pick<LoadOptions, 'name' | 'range' | 'swarm'>;
}

/** What a playlist lists and neither its tags nor the manifest name. */
interface Unnamed {
  /** URL. */
  readonly playlist: string;
  readonly items: readonly Item[];
  /** When the digest service told something new last, or was asked first, of `performance.now()`; null: it was not yet. */
  readonly toldAt: number | null;
}

const NOTHING_MORE: DigestNames = { names: new Map(), complete: true };
const NOTHING_YET: DigestNames = { names: new Map(), complete: false };

export async function prefetch(
  what: readonly (string | URL)[],
  options: PrefetchOptions,
  mesh: Pick<MeshFace, 'load' | 'server'>,
  ports: PrefetchPorts,
): Promise<Prefetched> {
  // Asked for at once: some browsers ask the viewer.
  const persisting = persist();
  const staging = new Staging(options, mesh, ports);
  const urls = what.map((url) => withoutFragment(new URL(url, document.baseURI).href));
  return { ...(await staging.bring(urls)), persisted: await persisting };
}

class Staging {
  readonly #options: PrefetchOptions;
  readonly #mesh: Pick<MeshFace, 'load' | 'server'>;
  readonly #ports: PrefetchPorts;
  readonly #items: Item[] = [];
  readonly #known = new Set<string>();
  readonly #unnamed: Unnamed[] = [];
  readonly #done: Item[] = [];
  readonly #missing = new Set<string>();
  #loaded = 0;
  #total = 0;

  constructor(options: PrefetchOptions, mesh: Pick<MeshFace, 'load' | 'server'>, ports: PrefetchPorts) {
    this.#options = options;
    this.#mesh = mesh;
    this.#ports = ports;
  }

  async bring(urls: readonly string[]): Promise<Omit<Prefetched, 'persisted'>> {
    for (const url of await this.#addUrls(urls, {})) this.#missing.add(url);
    let next = 0;
    do {
      while (next < this.#items.length) {
        const batch = this.#items.slice(next, next + AHEAD_AT_ONCE);
        next += batch.length;
        await Promise.all(batch.map((item) => this.#bring(item)));
        this.#options.onProgress?.(this.#loaded, this.#total);
      }
    } while (await this.#nameMore());
    const named = this.#done.flatMap(({ url, options: { name } }) => (name ? { url, name } : []));
    const held = await this.#ports.kept(named.map(({ name }) => name.digest));
    // What came later may have taken the place of what came first.
    const kept = named.filter(({ url }, index) => held[index] === 'store' || !this.#missing.add(url));
    const bytes = kept.reduce((sum, { name }) => sum + name.size, 0);
    return { assets: kept.length, bytes, missing: [...this.#missing] };
  }

  #add(items: readonly Item[]): void {
    for (const item of items) {
      if (this.#known.has(keyOf(item))) continue;
      this.#known.add(keyOf(item));
      this.#items.push(item);
      this.#total += item.options.name?.size ?? 0;
    }
  }

  /** What has a digest is brought; of the rest only playlists, for what they list. @returns the others */
  async #addUrls(urls: readonly string[], options: Item['options']): Promise<string[]> {
    const unnamed: string[] = [];
    const files = new Map((await this.#ports.listed(urls)).map((file) => [file.url, file]));
    for (const url of urls) {
      const file = files.get(url);
      if (file) this.#add(partsOf(file).map((part) => ({ url, options: { ...options, ...part } })));
      else if (isPlaylist(url)) this.#add([{ url, options }]);
      else unnamed.push(url);
    }
    return unnamed;
  }

  async #bring(item: Item): Promise<void> {
    const { url, options } = item;
    const { signal } = this.#options;
    try {
      const asset = await this.#mesh.load(url, { ...options, ...(signal && { signal }) });
      const { byteLength } = asset.body;
      this.#loaded += byteLength;
      if (!options.name) this.#total += byteLength;
      if (asset.shared) this.#done.push(item);
      else this.#missing.add(url);
      if (isPlaylist(url)) await this.#addListed(asset, options.swarm ?? this.#options.swarm ?? swarmOfStream(url));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof P2PError)) throw error;
      this.#missing.add(url);
    }
  }

  async #addListed(asset: LoadedAsset, swarm: string): Promise<void> {
    const { playlists, segments } = await listedIn(asset, this.#options.maxBandwidth ?? Infinity);
    this.#add(segments.filter(isNamed).map(({ url, options }) => ({ url, options: { swarm, ...options } })));
    // Without tags the manifest may list them; but never a range of a file.
    const unnamed = segments.filter((segment) => !isNamed(segment));
    const ranges = unnamed.filter(({ options }) => options.range);
    const whole = unnamed.flatMap(({ url, options }) => (options.range ? [] : url));
    const left = await this.#addUrls([...playlists, ...whole].map(withoutFragment), { swarm });
    const items = [
      ...left.map((url) => ({ url, options: { swarm } })),
      ...ranges.map(({ url, options }) => ({ url: withoutFragment(url), options: { swarm, ...options } })),
    ];
    if (items.length > 0) this.#unnamed.push({ playlist: asset.url, items, toldAt: null });
  }

  /** Asks the digest service for what is left without a name. @returns whether anything was: perhaps there is more to bring now, or to ask for */
  async #nameMore(): Promise<boolean> {
    const open = this.#unnamed.splice(0);
    const before = this.#items.length;
    for (const { playlist, items, toldAt } of open) {
      const { names, complete } = await this.#namesOf(playlist);
      const left: Item[] = [];
      for (const item of items) {
        const name = names.get(keyOf(item));
        if (name) this.#add([{ url: item.url, options: { ...item.options, name } }]);
        else left.push(item);
      }
      const now = performance.now();
      const heardAt = left.length < items.length ? now : (toldAt ?? now);
      if (left.length > 0 && !complete && now < heardAt + NAMES_SILENCE_MS)
        this.#unnamed.push({ playlist, items: left, toldAt: heardAt });
      else for (const { url } of left) this.#missing.add(url);
    }
    if (this.#unnamed.length > 0 && this.#items.length === before)
      await new Promise((resolve) => setTimeout(resolve, NAMES_AGAIN_MS));
    return open.length > 0;
  }

  async #namesOf(playlist: string): Promise<DigestNames> {
    const { signal } = this.#options;
    const server = await this.#mesh.server();
    signal?.throwIfAborted();
    // Its own playlists the server has tagged as far as it could.
    if (server === null || server === new URL(playlist).origin) return NOTHING_MORE;
    try {
      return await namesOfPlaylist(server, playlist, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const status = error instanceof P2PError ? Number(error.details['status']) : NaN;
      // There is no service, or not for this origin. Else it may be busy.
      return status >= 400 && status < 500 ? NOTHING_MORE : NOTHING_YET;
    }
  }
}

const keyOf = ({ url, options: { range } }: Item): string => `${url} ${range ? `${range.start}-${range.end}` : ''}`;

const isNamed = ({ options: { name } }: Item): boolean => name !== undefined;

const isPlaylist = (url: string): boolean => new URL(url).pathname.endsWith('.m3u8');

/** The assets that a file is. */
const partsOf = ({ size, parts }: ShareableFile): Pick<LoadOptions, 'name' | 'range'>[] =>
  parts.map((digest, index) => {
    const start = index * MAX_PART_BYTES;
    const end = parts.length === 1 ? size : Math.min(size, start + MAX_PART_BYTES);
    return { name: { digest, size: end - start }, ...(parts.length > 1 && { range: { start, end } }) };
  });

async function persist(): Promise<boolean> {
  // Typed as always there, but missing on plain HTTP.
  const storage = navigator.storage as StorageManager | undefined;
  return (await storage?.persist().catch(() => false)) ?? false;
}

/** What a playlist lists; nothing if it is none. Of encrypted segments the key is not among it. */
async function listedIn(
  { body, url }: LoadedAsset,
  maxBandwidth: number,
): Promise<{ playlists: string[]; segments: Item[] }> {
  const text = new TextDecoder().decode(body);
  if (!text.startsWith('#EXTM3U')) return { playlists: [], segments: [] };
  // The light build knows no audio and subtitles of their own.
  const { M3U8Parser, PlaylistLevelType } = await (/^#EXT-X-MEDIA:/m.test(text)
    ? import('hls.js')
    : import('hls.js/light'));
  if (!M3U8Parser.isMediaPlaylist(text)) {
    const multivariant = M3U8Parser.parseMasterPlaylist(text, url);
    const { levels } = multivariant;
    const lowest = Math.min(...levels.map(({ bitrate }) => bitrate));
    const media = M3U8Parser.parseMasterPlaylistMedia(text, url, multivariant);
    const playlists = [
      ...levels.filter(({ bitrate }) => bitrate <= Math.max(lowest, maxBandwidth)).map((level) => level.url),
      ...Object.values(media).flatMap((group) => group.flatMap((one) => one.url || [])),
    ];
    return { playlists: [...new Set(playlists)], segments: [] };
  }
  const { fragments } = M3U8Parser.parseLevelPlaylist(text, url, 0, PlaylistLevelType.MAIN, 0, null);
  const segments = fragments
    .filter(({ gap }) => !gap)
    .flatMap((fragment) => [...(fragment.initSegment ? [fragment.initSegment] : []), fragment])
    .map(itemOf);
  return { playlists: [], segments };
}

function itemOf({ url, tagList, byteRange }: Fragment): Item {
  const [start, end] = byteRange;
  const range = start !== undefined && end !== undefined ? { range: { start, end } } : {};
  try {
    const name = nameInTags(tagList, byteRange);
    return { url, options: { ...range, ...(name && { name }) } };
  } catch (error) {
    warnOnce((error as P2PError).message, 'malformed digest tag');
    return { url, options: range };
  }
}
