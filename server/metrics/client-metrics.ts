/** What clients' beacons add up to, beside each other for those with the mesh and those held out. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Beacon } from '../../protocol/beacon.ts';
import { NO_MESH } from '../beacons/parse-beacon.ts';
import type { ViewerGroup } from '../signaling/observer.ts';
import { FIRST_FRAME_SECONDS } from './limits.ts';

const GROUPS = ['mesh', 'holdout'] as const satisfies readonly ViewerGroup[];
const SOURCES = ['origin', 'peers', 'store', 'uploaded'] as const;

export class ClientMetrics {
  readonly #beacons: Counter<'group' | 'mesh'>;
  readonly #clamped: Counter<'group'>;
  readonly #bytes: Counter<'group' | 'source'>;
  readonly #stalls: Counter<'group'>;
  readonly #stalled: Counter<'group'>;
  readonly #firstFrame: Histogram<'group'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#beacons = new Counter({
      name: 'p2p_client_beacons_total',
      help: 'Beacons of clients, about one a minute each, by what each had of the mesh: connected, or why not',
      labelNames: ['group', 'mesh'],
      registers,
    });
    this.#clamped = new Counter({
      name: 'p2p_client_beacons_clamped_total',
      help: 'Beacons that said more than is believed',
      labelNames: ['group'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'p2p_client_bytes_total',
      help: 'Bytes that clients used, by source, and what they handed out (uploaded)',
      labelNames: ['group', 'source'],
      registers,
    });
    this.#stalls = new Counter({
      name: 'p2p_client_stalls_total',
      help: 'Times that a playing video had to wait for media',
      labelNames: ['group'],
      registers,
    });
    this.#stalled = new Counter({
      name: 'p2p_client_stalled_seconds_total',
      help: 'Seconds that playing videos had to wait for media',
      labelNames: ['group'],
      registers,
    });
    this.#firstFrame = new Histogram({
      name: 'p2p_client_first_frame_seconds',
      help: 'Time from the beginning of a video to its first frame',
      labelNames: ['group'],
      buckets: FIRST_FRAME_SECONDS,
      registers,
    });
    this.#begin();
  }

  add({ bytes, stalls, stalled, firstFrames, noMesh }: Beacon, group: ViewerGroup, isClamped: boolean): void {
    this.#beacons.inc({ group, mesh: noMesh ?? 'connected' });
    if (isClamped) this.#clamped.inc({ group });
    for (const source of SOURCES) this.#bytes.inc({ group, source }, bytes[source]);
    this.#stalls.inc({ group }, stalls);
    this.#stalled.inc({ group }, stalled / 1000);
    for (const time of firstFrames) this.#firstFrame.observe({ group }, time / 1000);
  }

  /** All series are there from the start: a rate over one that appears with its first count misses that. */
  #begin(): void {
    for (const group of GROUPS) {
      for (const mesh of ['connected', ...NO_MESH]) this.#beacons.inc({ group, mesh }, 0);
      for (const source of SOURCES) this.#bytes.inc({ group, source }, 0);
      for (const counter of [this.#clamped, this.#stalls, this.#stalled]) counter.inc({ group }, 0);
      this.#firstFrame.zero({ group });
    }
  }
}
