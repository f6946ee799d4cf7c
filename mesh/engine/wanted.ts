import type { AssetName, SwarmId } from '../../protocol/ids.ts';
import type { ByteRange } from '../../protocol/page.ts';

/** An asset that is to be brought. */
export interface Wanted {
  readonly url: string;
  readonly name: AssetName;
  readonly swarm: SwarmId;
  /** The part of the URL that is the asset; null: all of it. */
  readonly range: ByteRange | null;
  /** As the manifest says; '': as the origin says. */
  readonly contentType: string;
  /** When it is needed, on the engine's clock; Infinity: not known. Sooner, once a player seeks there. */
  neededAt: number;
  /** When the first asset of the swarm was asked for: bounds how long the start of the mesh is waited for. */
  readonly startedAt: number;
}
