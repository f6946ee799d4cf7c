/**
 * What a client tells the server of itself now and then (event `beacon`), so that an operator sees whether the mesh helps or harms. Numbers only:
 * no URL, no swarm, nobody's id.
 */
import type { ByteCounts } from './page.ts';
import type { NoMesh } from './signaling.ts';

/** Everything since the beacon before. */
export interface Beacon {
  /** Bytes that all tabs of the browser used, by source, and what it handed out. */
  readonly bytes: ByteCounts;
  /** How often a video that played had to wait for media, and for how many milliseconds in all. */
  readonly stalls: number;
  readonly stalled: number;
  /** For each video that was begun, milliseconds until it had its first frame; at most MAX_FIRST_FRAMES. */
  readonly firstFrames: readonly number[];
  /** As it is now; null: there are neighbours. */
  readonly noMesh: NoMesh | null;
}

/** Times in one beacon, at most: nobody begins more videos in a minute, and more would tell nothing new. */
export const MAX_FIRST_FRAMES = 8;

/** A browser draws a lot from 0 up to this, once: that decides whether it is held out. Coarse, so that it names nobody. */
export const LOTS = 10_000;
