import type { Sha256 } from '../../protocol/ids.ts';
import type { Clock, OriginFetch, Trace } from '../core/ports.ts';
import type { Changes } from './changes.ts';
import type { Crossings } from './crossings.ts';
import type { FromOutside } from './from-outside.ts';
import type { ManifestIndex } from './manifest-index.ts';
import type { Neighbours } from './neighbours.ts';

/** Loads what brings assets from other sites: a module of its own, for most pages meet only their own site. */
export type LoadOutside = () => Promise<{ readonly FromOutside: typeof FromOutside }>;

/** What a Transfer needs of the engine. */
export interface TransferPorts {
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly origin: OriginFetch;
  readonly neighbours: Neighbours;
  readonly crossings: Crossings;
  /** What brings assets from other sites; null: nobody of them was met, or it is not here yet. */
  readonly outside: () => typeof FromOutside | null;
  /** Wakes who waits for the mesh. */
  readonly changes: Changes;
  readonly trace: Trace;
  /** Knows where an asset's block hashes are. */
  readonly manifest: Pick<ManifestIndex, 'leavesUrl'>;
  /** Checked bytes came from a neighbour. */
  readonly countPeerBytes: (bytes: number) => void;
}
