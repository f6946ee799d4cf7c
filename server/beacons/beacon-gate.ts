/**
 * What is believed of one client's beacons. Nobody can check them, so a client may say no more than a real one could have seen in the time that has
 * passed: a liar then counts for a handful of honest viewers, not for all of them. Owned by its Session.
 */
import type { Beacon } from '../../protocol/beacon.ts';
import {
  BEACON_BURST,
  BEACON_BYTES_PER_SECOND,
  BEACON_CREDIT_MS,
  BEACON_EVERY_MS,
  BEACON_MAX_MS,
  MAX_FIRST_FRAME_MS,
} from './limits.ts';

export interface BelievedBeacon {
  readonly beacon: Beacon;
  /** Did it say more than is believed? */
  readonly isClamped: boolean;
}

export class BeaconGate {
  #at: number;
  #left = BEACON_BURST;
  /** Milliseconds of viewing that may be reported. */
  #credit = BEACON_CREDIT_MS;

  /** @param now milliseconds, of any origin; the time at which the client's socket was opened */
  constructor(now: number) {
    this.#at = now;
  }

  /** @returns undefined: it comes too soon */
  take(beacon: Beacon, now: number): BelievedBeacon | undefined {
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(BEACON_BURST, this.#left + passed / BEACON_EVERY_MS);
    this.#credit = Math.min(BEACON_MAX_MS, this.#credit + passed);
    if (this.#left < 1) return undefined;
    this.#left--;
    const believed = clamp(beacon, this.#credit);
    this.#credit = 0;
    return { beacon: believed, isClamped: JSON.stringify(believed) !== JSON.stringify(beacon) };
  }
}

/** @param milliseconds of viewing that it can be about */
function clamp({ bytes, stalls, stalled, firstFrames, noMesh }: Beacon, milliseconds: number): Beacon {
  const most = Math.floor((milliseconds / 1000) * BEACON_BYTES_PER_SECOND);
  return {
    bytes: {
      origin: Math.min(bytes.origin, most),
      peers: Math.min(bytes.peers, most),
      store: Math.min(bytes.store, most),
      uploaded: Math.min(bytes.uploaded, most),
    },
    // one a second is a slide show already
    stalls: Math.min(stalls, Math.ceil(milliseconds / 1000)),
    stalled: Math.min(stalled, Math.ceil(milliseconds)),
    firstFrames: firstFrames.map((time) => Math.min(time, MAX_FIRST_FRAME_MS)),
    noMesh,
  };
}
