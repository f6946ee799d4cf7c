/** What the server is told of this browser now and then, for its operator: see protocol/beacon.ts. Owned by the Engine. */
import { MAX_FIRST_FRAMES } from '../../protocol/beacon.ts';
import type { ByteCounts, Played } from '../../protocol/page.ts';
import type { NoMesh } from '../../protocol/signaling.ts';
import { BEACON_EVERY_MS, FIRST_BEACON_MS } from '../core/limits.ts';
import type { Clock, Signaling } from '../core/ports.ts';

export interface BeaconPorts {
  readonly clock: Clock;
  readonly signaling: Signaling;
  /** Bytes since the engine started, and why there is no mesh. */
  readonly look: () => { readonly bytes: ByteCounts; readonly noMesh: NoMesh | null };
  /** Is the server there to be told? */
  readonly isThere: () => boolean;
}

const NO_BYTES: ByteCounts = { origin: 0, peers: 0, store: 0, uploaded: 0 };

export class Beacons {
  readonly #ports: BeaconPorts;
  #told = NO_BYTES;
  #stalls = 0;
  #stalled = 0;
  #firstFrames: number[] = [];
  #cancel: (() => void) | null = null;

  constructor(ports: BeaconPorts) {
    this.#ports = ports;
  }

  /** The server has answered. The first one comes soon, for many visits are short. */
  begin(): void {
    this.#cancel ??= this.#after(FIRST_BEACON_MS);
  }

  played({ stalls = 0, stalled = 0, firstFrame }: Played): void {
    this.#stalls += stalls;
    this.#stalled += stalled;
    if (firstFrame !== undefined && this.#firstFrames.length < MAX_FIRST_FRAMES) this.#firstFrames.push(firstFrame);
  }

  /** Tells the rest, and no more until `begin()`. */
  end(): void {
    this.#cancel?.();
    if (this.#cancel) this.#tell();
    this.#cancel = null;
  }

  #after(milliseconds: number): () => void {
    return this.#ports.clock.after(milliseconds, () => {
      this.#tell();
      this.#cancel = this.#after(BEACON_EVERY_MS);
    });
  }

  /** Where the server is away it is told with the next one. */
  #tell(): void {
    const { signaling, look, isThere } = this.#ports;
    if (!isThere()) return;
    const { bytes, noMesh } = look();
    const since = (source: keyof ByteCounts): number => bytes[source] - this.#told[source];
    signaling.beacon({
      bytes: { origin: since('origin'), peers: since('peers'), store: since('store'), uploaded: since('uploaded') },
      stalls: this.#stalls,
      stalled: this.#stalled,
      firstFrames: this.#firstFrames,
      noMesh,
    });
    this.#told = bytes;
    this.#stalls = this.#stalled = 0;
    this.#firstFrames = [];
  }
}
