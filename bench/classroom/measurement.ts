/** What a run leaves behind: raw, before anything is computed from it. */
import type { PageReading } from './gauge/page.ts';
import type { RunOptions } from './options.ts';
import type { Served } from './served.ts';
import type { ViewerState } from './viewers.ts';

export interface ViewerRecord {
  readonly number: number;
  readonly state: ViewerState;
  /** Seconds after the run's start. */
  readonly startedAt: number | undefined;
  readonly reading: PageReading | undefined;
  readonly warnings: readonly string[];
  /** On the LAN, since the run's start. */
  readonly received: number;
  readonly sent: number;
  readonly cpuSeconds: number;
}

/** One second of the run. Bytes since its start. */
export interface Tick {
  readonly at: number;
  readonly uplink: number;
  readonly lan: number;
  readonly positions: readonly number[];
  readonly bufferEnds: readonly number[];
}

/** What everybody had when the line was cut or a browser killed. */
export interface Disturbance {
  readonly kind: 'line cut' | 'viewer killed';
  /** Seconds after the run's start. */
  readonly at: number;
  readonly viewers: readonly { readonly number: number; readonly position: number; readonly bufferEnd: number }[];
}

export interface MediaFacts {
  /** Path of a segment below the media folder → its bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Picture height → bytes of a second, on average, and of the whole VOD. */
  readonly rates: ReadonlyMap<number, number>;
}

export interface Measurement {
  readonly options: RunOptions;
  readonly when: string;
  readonly viewers: readonly ViewerRecord[];
  /** Bytes on the line from the start to the end of the run. */
  readonly uplinkBytes: number;
  readonly backBytes: number;
  /** Of `uplinkBytes`, those after viewer 1 had finished. */
  readonly uplinkAfterSeed: number | undefined;
  readonly served: readonly Served[];
  readonly media: MediaFacts;
  /** Seconds from the start (seeded: of the others) to the end. */
  readonly wall: number;
  /** Share of the machine's time; and cores busy with something that is not of this bench, the kernel's network work (0.1) included. */
  readonly machineBusy: number;
  readonly otherCores: number;
  readonly timeline: readonly Tick[];
  readonly disturbance: Disturbance | undefined;
}
