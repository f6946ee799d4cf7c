import type { Random } from '../../../mesh/core/ports.ts';
import type { MemoryOrigin } from './memory-origin.ts';
import type { Log, Network } from './network.ts';
import type { SignalServer } from './signal-server.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const WEB_ORIGIN = 'https://school.test';

/** What a peer of the world finds around it. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
  readonly server: SignalServer;
  readonly origin: MemoryOrigin;
  /** Writes a line into the log; null: nobody reads it. */
  readonly say: Log | null;
}
