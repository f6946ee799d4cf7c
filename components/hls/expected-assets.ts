/** What a player will ask the mesh for next: decisions on plain data, and the telling of them. */
import type { MeshFace } from '../../mesh/index.ts';
import type { AssetName } from '../../protocol/ids.ts';
import { MAX_WANTS } from '../../protocol/limits.ts';
import type { ByteRange, Expected } from '../../protocol/page.ts';
import { EXPECTED_DRIFT_MS } from './limits.ts';

/** An asset of a stream that is to come. */
export interface Upcoming {
  readonly url: string;
  readonly name: AssetName;
  /** The part of the URL that it is. Default: all of it. */
  readonly range?: ByteRange;
  /** Seconds from the start of the stream. */
  readonly start: number;
}

/**
 * In the form that the mesh takes: the soonest first, each once, no more than it heeds.
 * @param upcoming of all tracks, those of one track in order
 * @param playhead seconds
 */
export function expectedAssets(upcoming: readonly Upcoming[], playhead: number, playbackRate: number): Expected[] {
  const once = new Map<string, Expected>();
  for (const { start, ...asset } of [...upcoming].sort((a, b) => a.start - b.start)) {
    const within = Math.max(0, Math.round((1000 * (start - playhead)) / (playbackRate || 1)));
    if (!once.has(asset.name.digest)) once.set(asset.name.digest, { ...asset, within });
  }
  return [...once.values()].slice(0, MAX_WANTS);
}

let players = 0;

/** Tells the mesh what one player expects, when that has changed. */
export class Expectations {
  readonly #mesh: MeshFace;
  readonly #swarm: string | undefined;
  readonly #player = ++players;
  #said: readonly Expected[] = [];
  #saidAt = 0;

  constructor(mesh: MeshFace, swarm: string | null) {
    this.#mesh = mesh;
    this.#swarm = swarm ?? undefined;
  }

  tell(assets: readonly Expected[]): void {
    const now = performance.now();
    if (this.#isSaid(assets, now)) return;
    this.#said = assets;
    this.#saidAt = now;
    this.#mesh.expect(this.#player, assets, this.#swarm);
  }

  #isSaid(assets: readonly Expected[], now: number): boolean {
    const passed = now - this.#saidAt;
    return (
      assets.length === this.#said.length &&
      assets.every(({ url, name, within }, index) => {
        const said = this.#said[index];
        const due = Math.max(0, (said?.within ?? 0) - passed);
        return said?.url === url && said.name.digest === name.digest && Math.abs(due - within) <= EXPECTED_DRIFT_MS;
      })
    );
  }
}
