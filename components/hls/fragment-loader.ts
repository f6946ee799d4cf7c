import type { FragmentLoaderContext, HlsConfig, Loader } from 'hls.js';
import type { LoadOptions, MeshFace } from '../../mesh/index.ts';
import { EarlyStart } from './early-start.ts';
import { MeshLoader, type Listener, type Loaded } from './mesh-loader.ts';
import { nameOfFragment } from './segments.ts';
import { nameSoon, shareOnceNamed } from './untagged.ts';

/** When something is played, in seconds from the start of the stream. */
export interface Timing {
  readonly start: number;
  readonly duration: number;
}

/** What a fragment loader knows of its player. */
export interface FragmentSource {
  readonly mesh: MeshFace;
  readonly swarm: string | null;
  /** Does the wait for the first byte count as the line's slowness? Not where others bring the segment over the line. */
  readonly countsWaiting: boolean;
  /** Milliseconds until the player needs this; undefined: not known. */
  readonly deadlineOf: (timing: Timing) => number | undefined;
  /** A segment could not be had: neither from a neighbour nor from the origin. */
  readonly onFailure: () => void;
}

/** hls.js's `fLoader`: segments come through the mesh. */
export function fragmentLoader(source: FragmentSource): new (config: HlsConfig) => Loader<FragmentLoaderContext> {
  return class extends MeshLoader<FragmentLoaderContext> {
    protected override readonly countsWaiting = source.countsWaiting;

    protected override async request(
      context: FragmentLoaderContext,
      signal: AbortSignal,
      { onProgress, onChunk }: Listener,
    ): Promise<Loaded> {
      const timing = context.part ?? context.frag;
      const wait = nameSoon(context.frag, source.deadlineOf(timing));
      if (wait) await wait;
      const deadline = source.deadlineOf(timing);
      const isAll = isWhole(context);
      const what = whatOf(context, isAll);
      // What is needed later than now is checked at one go, and given so.
      const early =
        deadline === 0 && what.name && onChunk && new EarlyStart(what.name.size, context.frag.duration, onChunk);
      const options = {
        ...what,
        ...(source.swarm !== null && { swarm: source.swarm }),
        signal,
        streamed: Boolean(early),
        onProgress: (loaded: number, total: number, chunk?: ArrayBuffer) => {
          onProgress(loaded, total);
          if (chunk && early) early.take(chunk, performance.now());
        },
      };
      try {
        const asset = await source.mesh.load(context.url, deadline === undefined ? options : { ...options, deadline });
        if (isAll) shareOnceNamed(source, context.frag, asset);
        const { body, url } = asset;
        return { data: body, bytes: body.byteLength, url };
      } catch (error) {
        if (!signal.aborted) source.onFailure();
        throw error;
      }
    }
  };
}

/**
 * What is asked of the URL: a range of it, and the asset's name where the playlist tells it. A part of a segment (low latency) has none; nor
 * has a range that is not the segment's own (hls.js asks for more around an encrypted initialization segment).
 */
function whatOf(
  { rangeStart = 0, rangeEnd, frag }: FragmentLoaderContext,
  isAll: boolean,
): Pick<LoadOptions, 'range' | 'name' | 'use'> {
  const range = rangeEnd ? { range: { start: rangeStart, end: rangeEnd } } : {};
  const name = isAll ? nameOfFragment(frag) : null;
  return name ? { ...range, name } : isAll && !rangeEnd ? { use: 'video' } : range;
}

function isWhole({ rangeStart = 0, rangeEnd, frag, part }: FragmentLoaderContext): boolean {
  const [start, end] = frag.byteRange;
  return part === null && (rangeEnd ? start === rangeStart && end === rangeEnd : end === undefined);
}
