import type { FragmentLoaderContext, HlsConfig, Loader } from 'hls.js';
import type { LoadOptions, MeshFace } from '../../mesh/index.ts';
import { MeshLoader, type Loaded } from './mesh-loader.ts';
import { nameOfFragment } from './segments.ts';

/** What a fragment loader knows of its player. */
export interface FragmentSource {
  readonly mesh: MeshFace;
  readonly swarm: string | null;
  /** Milliseconds until the player needs what is at `start` seconds; undefined: not known. */
  readonly deadlineOf: (start: number) => number | undefined;
  /** A segment could not be had: neither from a neighbour nor from the origin. */
  readonly onFailure: () => void;
}

/** hls.js's `fLoader`: segments come through the mesh. */
export function fragmentLoader(source: FragmentSource): new (config: HlsConfig) => Loader<FragmentLoaderContext> {
  return class extends MeshLoader<FragmentLoaderContext> {
    protected override async request(
      context: FragmentLoaderContext,
      signal: AbortSignal,
      onProgress: (loaded: number, total: number) => void,
    ): Promise<Loaded> {
      const options = { ...whatOf(context), ...(source.swarm !== null && { swarm: source.swarm }), signal, onProgress };
      const deadline = source.deadlineOf(context.part?.start ?? context.frag.start);
      try {
        const { body, url } = await source.mesh.load(
          context.url,
          deadline === undefined ? options : { ...options, deadline },
        );
        return { data: body, bytes: body.byteLength, url };
      } catch (error) {
        if (!signal.aborted) source.onFailure();
        throw error;
      }
    }
  };
}

/** A range of the URL, or the asset that the playlist names, or just the URL. A part of a segment (low latency) has no digest of its own. */
function whatOf({ rangeStart = 0, rangeEnd, frag, part }: FragmentLoaderContext): Pick<LoadOptions, 'range' | 'name'> {
  if (rangeEnd) return { range: { start: rangeStart, end: rangeEnd } };
  const name = part ? null : nameOfFragment(frag);
  return name ? { name } : {};
}
