/** Measurements made up for the tests. */
import type { PageReading } from '../../../bench/classroom/gauge/page.ts';
import type { Measurement, ViewerRecord } from '../../../bench/classroom/measurement.ts';
import { runOptions, type RunOptions } from '../../../bench/classroom/options.ts';
import type { Served } from '../../../bench/classroom/served.ts';

/** Bytes of a second of the renditions of 108, 144 and 180 lines. */
export const RATES = new Map([
  [144, 250],
  [108, 125],
  [180, 500],
]);

/** A viewer's gauge at the end of 60 s without any trouble. */
export const reading = (more: Partial<PageReading> = {}): PageReading => ({
  now: 63,
  firstFrame: 2,
  stalls: [],
  isStalled: false,
  played: 60,
  skipped: 0,
  have: 60,
  position: 60,
  bufferEnd: 60,
  ended: true,
  heights: [{ at: 2, height: 144 }],
  playedIn: { 144: 60 },
  errors: [],
  claims: undefined,
  frames: 900,
  dropped: 9,
  ...more,
});

export const viewer = (number: number, more: Partial<PageReading> = {}, record: Partial<ViewerRecord> = {}) => ({
  number,
  state: 'watching' as const,
  startedAt: 0,
  reading: reading(more),
  warnings: [],
  received: 0,
  sent: 10,
  cpuSeconds: 3,
  ...record,
});

/** Segments of 1,000 bytes, each sent as often as is said. */
export const copies = (times: number, segments = 15): Served[] =>
  Array.from({ length: times * segments }, (_, index) => {
    return {
      end: 0,
      milliseconds: 1,
      path: `/media/seg${index % segments}.ts`,
      status: 200,
      bytes: 1000,
      aborted: false,
    };
  });

export function measurement(
  viewers: readonly ViewerRecord[],
  { options = {}, ...more }: Partial<Omit<Measurement, 'options'>> & { readonly options?: Partial<RunOptions> } = {},
): Measurement {
  const sizes = new Map(Array.from({ length: 15 }, (_, index) => [`seg${index}.ts`, 1000]));
  return {
    options: runOptions({ viewers: viewers.length, ...options }),
    when: '2024-01-02T03:04:05.000Z',
    viewers,
    uplinkBytes: 18_000,
    backBytes: 100,
    uplinkAfterSeed: undefined,
    served: copies(1),
    media: { sizes, rates: RATES },
    wall: 65,
    machineBusy: 0.5,
    otherCores: 0.1,
    timeline: [],
    disturbance: undefined,
    ...more,
  };
}
