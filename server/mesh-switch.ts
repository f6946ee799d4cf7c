/** Who takes part in the mesh: everybody, nobody, or all but a share of the viewers. May be changed while the server runs. Owned by whoever makes the server. */
import { LOTS } from '../protocol/beacon.ts';
import type { PeerId } from '../protocol/ids.ts';
import type { MeshOff } from '../protocol/signaling.ts';

/** What a viewer shows of itself. */
export interface Viewer {
  readonly peer: PeerId;
  /** From 0 to LOTS - 1; undefined: it draws none. */
  readonly lot?: number | undefined;
}

export interface MeshSwitchOptions {
  /** Default: true. */
  readonly mesh?: boolean;
  /** Share of the viewers that are held out, 0 to 1. Default: 0. */
  readonly holdout?: number;
}

export class MeshSwitch {
  /** Is there a mesh at all? */
  mesh: boolean;
  /** Share of the viewers that load all from the origin, 0 to 1. With a larger share the same viewers are held out, and others. */
  holdout: number;

  constructor({ mesh = true, holdout = 0 }: MeshSwitchOptions = {}) {
    this.mesh = mesh;
    this.holdout = holdout;
  }

  /** Why a viewer takes no part; undefined: it does. */
  off(viewer: Viewer): MeshOff | undefined {
    // first, so that a viewer stays in its group when the mesh is switched
    if (positionOf(viewer) < this.holdout) return 'holdout';
    return this.mesh ? undefined : 'switched-off';
  }
}

/** From 0 to 1, the same for each visit of a browser that keeps its lot. Else by the peer id, which is a hash. */
const positionOf = ({ peer, lot }: Viewer): number =>
  lot === undefined ? Number.parseInt(peer.slice(0, 8), 16) / 2 ** 32 : lot / LOTS;
