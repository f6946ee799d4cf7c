import type { Beacon } from '../../protocol/beacon.ts';
import type { MeshOff, RefusalCode } from '../../protocol/signaling.ts';

/** Those who have the mesh, and those who are held out to compare with. */
export type ViewerGroup = 'mesh' | 'holdout';

/** Whoever counts or logs what happens at the signaling. Called in the middle of it, so it must neither wait nor throw. */
export interface SignalingObserver {
  /** A join was granted, or answered with why there is no mesh. */
  joined?(answer: 'mesh' | MeshOff, milliseconds: number): void;
  /** @param isClamped it said more than is believed, which is what is left in it */
  beacon?(beacon: Beacon, group: ViewerGroup, isClamped: boolean): void;
  /** A message was refused; why is counted by admission. */
  refused?(code: RefusalCode): void;
  /** The members of a swarm at one site are told of its state. */
  news?(): void;
}
