/** Brings content onto this device before it is needed. A module of its own, for few pages do. */
import type { Fragment } from 'hls.js';
import { P2PError } from '../../protocol/error.ts';
import { nameInTags } from '../../protocol/playlist-tag.ts';
import { swarmOfStream } from '../../protocol/swarm.ts';
import type { LoadedAsset, LoadOptions, MeshFace, Prefetched, PrefetchOptions } from './types.ts';
import { warnOnce } from './warn.ts';

/** Assets under way at a time: one is checked and written while the next one comes. */
const AT_ONCE = 2;

/** One asset to be brought. */
interface Item {
  readonly url: string;
  readonly options: Pick<LoadOptions, 'name' | 'range' | 'swarm'>;
}

/** @param settled resolves when all that was loaded is on the disk */
export async function prefetch(
  what: readonly (string | URL)[],
  { signal, swarm, maxBandwidth = Infinity, onProgress }: PrefetchOptions,
  mesh: Pick<MeshFace, 'load'>,
  settled: () => Promise<void>,
): Promise<Prefetched> {
  // Asked for at once: some browsers ask the viewer.
  const persisting = persist();
  const missing: string[] = [];
  const done = new Map<string, number>();
  const items: Item[] = what.map((url) => ({ url: new URL(url, document.baseURI).href, options: {} }));
  const known = new Set(items.map(keyOf));
  let loaded = 0;
  let sized = 0;
  const add = (more: readonly Item[]): void => {
    for (const item of more) {
      if (known.has(keyOf(item))) continue;
      known.add(keyOf(item));
      items.push(item);
      sized += item.options.name?.size ?? 0;
    }
  };
  const bring = async ({ url, options }: Item): Promise<void> => {
    try {
      const asset = await mesh.load(url, { ...options, ...(signal && { signal }) });
      const { byteLength } = asset.body;
      loaded += byteLength;
      if (!options.name) sized += byteLength;
      if (asset.shared) done.set(keyOf({ url, options }), byteLength);
      else missing.push(url);
      if (!options.name) add(await listedIn(asset, swarm ?? options.swarm ?? swarmOfStream(url), maxBandwidth));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof P2PError)) throw error;
      missing.push(url);
    }
    onProgress?.(loaded, sized);
  };
  for (let next = 0; next < items.length;) {
    const batch = items.slice(next, next + AT_ONCE);
    next += batch.length;
    await Promise.all(batch.map(bring));
  }
  await settled();
  const bytes = [...done.values()].reduce((sum, size) => sum + size, 0);
  return { assets: done.size, bytes, missing, persisted: await persisting };
}

const keyOf = ({ url, options: { range } }: Item): string => `${url} ${range ? `${range.start}-${range.end}` : ''}`;

async function persist(): Promise<boolean> {
  // Typed as always there, but missing on plain HTTP.
  const storage = navigator.storage as StorageManager | undefined;
  return (await storage?.persist().catch(() => false)) ?? false;
}

/** What a playlist lists; nothing if it is none. */
async function listedIn({ body, url }: LoadedAsset, swarm: string, maxBandwidth: number): Promise<Item[]> {
  const text = new TextDecoder().decode(body.slice(0, 7)) === '#EXTM3U' ? new TextDecoder().decode(body) : null;
  if (text === null) return [];
  // The light build knows no audio and subtitles of their own.
  const { M3U8Parser, PlaylistLevelType } = await (/^#EXT-X-MEDIA:/m.test(text)
    ? import('hls.js')
    : import('hls.js/light'));
  if (!M3U8Parser.isMediaPlaylist(text)) {
    const multivariant = M3U8Parser.parseMasterPlaylist(text, url);
    const { levels } = multivariant;
    const lowest = Math.min(...levels.map(({ bitrate }) => bitrate));
    const media = M3U8Parser.parseMasterPlaylistMedia(text, url, multivariant);
    const urls = [
      ...levels.filter(({ bitrate }) => bitrate <= Math.max(lowest, maxBandwidth)).map((level) => level.url),
      ...Object.values(media).flatMap((group) => group.flatMap((one) => one.url || [])),
    ];
    return urls.map((one) => ({ url: one, options: { swarm } }));
  }
  const { fragments } = M3U8Parser.parseLevelPlaylist(text, url, 0, PlaylistLevelType.MAIN, 0, null);
  return fragments
    .filter(({ gap }) => !gap)
    .flatMap((fragment) => [...(fragment.initSegment ? [fragment.initSegment] : []), fragment])
    .map((fragment) => itemOf(fragment, swarm));
}

function itemOf({ url, tagList, byteRange }: Fragment, swarm: string): Item {
  const [start, end] = byteRange;
  const range = start !== undefined && end !== undefined ? { range: { start, end } } : {};
  try {
    const name = nameInTags(tagList, byteRange);
    return { url, options: { swarm, ...range, ...(name && { name }) } };
  } catch (error) {
    warnOnce((error as P2PError).message, 'malformed digest tag');
    return { url, options: { swarm, ...range } };
  }
}
