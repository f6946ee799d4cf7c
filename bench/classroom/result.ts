/** The figures of a run, computed from its measurement. Pure. */
import { cutResult, stallsAfterKill, type CutResult } from './disturbance-result.ts';
import type { MediaFacts, Measurement, ViewerRecord } from './measurement.ts';
import { segmentCopies, totals, type ClassTotal, type SegmentCopies, type ServedClass } from './served.ts';
import type { RunOptions } from './options.ts';
import { greatest, median, sum } from '../statistics.ts';

/** Switches of rendition are counted from so many seconds after a viewer's start: before that everybody feels the way. */
export const SETTLED_SECONDS = 15;

/** The kernel's own network work is 0.1 to 0.2. */
export const QUIET_CORES = 0.5;

export interface ViewerResult {
  readonly number: number;
  /** VOD: reached the end. Live: has played, and stood not still at the end. */
  readonly completed: boolean;
  readonly firstFrame: number | undefined;
  readonly stallSeconds: number;
  readonly stallCount: number;
  readonly skipped: number;
  readonly playedTo: number;
  /** Bytes of media that it obtained, by what it has played or buffered. */
  readonly consumed: number;
  readonly switchesSettled: number;
  /** Height of the rendition it played most. */
  readonly mostPlayed: number | undefined;
}

export interface Result {
  /** Bytes of segments that left the origin / bytes of one copy. */
  readonly mediaCopies: number;
  /** All bytes on the line (pages, signaling, headers, what is sent again) / bytes of one copy. */
  readonly allCopies: number;
  /** Of what was watched: with several renditions, of the mix that the viewers played. */
  readonly oneCopy: number;
  readonly uplinkBytes: number;
  readonly uplinkAfterSeed: number | undefined;
  readonly backBytes: number;
  readonly lanBytes: number;
  readonly served: Record<ServedClass, ClassTotal>;
  readonly segmentCopies: SegmentCopies | undefined;
  /** 1 - all bytes on the line / bytes consumed. */
  readonly offload: number;
  /** Of the class: a viewer that seeds is not asked. */
  readonly firstFrameMedian: number | undefined;
  readonly firstFrameMax: number | undefined;
  readonly firstFrames: number;
  readonly stallSeconds: number;
  readonly stallCount: number;
  readonly skipped: number;
  readonly completed: number;
  readonly cut: CutResult | undefined;
  /** Stalls of all others that lasted past the moment when one was killed. */
  readonly stallsAfterKill: number | undefined;
  /** Picture height → share of all viewers' playing time. */
  readonly playedShares: Readonly<Record<number, number>>;
  readonly mostPlayed: number | undefined;
  readonly maxSwitchesSettled: number;
  readonly browserCpuSeconds: number;
  readonly framesDropped: number;
  /** Cores busy with something that is not of this bench: above `QUIET_CORES` neither starts nor stalls tell anything. */
  readonly otherCores: number;
  readonly perViewer: readonly ViewerResult[];
}

export function resultOf(measurement: Measurement): Result {
  const { options, viewers, media, served, uplinkBytes } = measurement;
  const shares = playedShares(viewers);
  const mostPlayed = heightOfMost(shares);
  const perViewer = viewers.map((viewer) => viewerResult(viewer, options, media));
  const watching = options.seeded ? perViewer.slice(1) : perViewer;
  const firstFrames = watching.flatMap(({ firstFrame }) => firstFrame ?? []);
  const consumed = sum(perViewer.map((viewer) => viewer.consumed));
  const oneCopy =
    options.mode === 'vod'
      ? options.duration * meanRate(media, shares)
      : (greatest(perViewer.map((viewer) => viewer.consumed)) ?? 0);
  const classes = totals(served);
  const frames = sum(viewers.map(({ reading }) => reading?.frames ?? 0));
  return {
    mediaCopies: classes.media.bytes / oneCopy,
    allCopies: uplinkBytes / oneCopy,
    oneCopy,
    uplinkBytes,
    uplinkAfterSeed: measurement.uplinkAfterSeed,
    backBytes: measurement.backBytes,
    lanBytes: sum(viewers.map(({ sent }) => sent)),
    served: classes,
    segmentCopies: segmentCopies(served, media.sizes),
    offload: 1 - uplinkBytes / consumed,
    firstFrameMedian: median(firstFrames),
    firstFrameMax: greatest(firstFrames),
    firstFrames: firstFrames.length,
    stallSeconds: sum(watching.map((viewer) => viewer.stallSeconds)),
    stallCount: sum(watching.map((viewer) => viewer.stallCount)),
    skipped: sum(watching.map((viewer) => viewer.skipped)),
    completed: perViewer.filter(({ completed }) => completed).length,
    cut: cutResult(measurement),
    stallsAfterKill: stallsAfterKill(measurement),
    playedShares: shares,
    mostPlayed,
    maxSwitchesSettled: greatest(perViewer.map(({ switchesSettled }) => switchesSettled)) ?? 0,
    browserCpuSeconds: sum(viewers.map(({ cpuSeconds }) => cpuSeconds)),
    framesDropped: frames === 0 ? 0 : sum(viewers.map(({ reading }) => reading?.dropped ?? 0)) / frames,
    otherCores: measurement.otherCores,
    perViewer,
  };
}

function viewerResult(
  { number, state, reading }: ViewerRecord,
  { mode, duration }: RunOptions,
  media: MediaFacts,
): ViewerResult {
  const isVod = mode === 'vod';
  const playedIn = reading?.playedIn ?? {};
  const have = reading?.have ?? 0;
  const stalls = reading?.stalls ?? [];
  return {
    number,
    completed:
      state === 'watching' &&
      reading !== undefined &&
      (isVod ? reading.ended : reading.played > 0 && !reading.isStalled),
    firstFrame: reading?.firstFrame,
    stallSeconds: sum(stalls.map((stall) => stall.duration)),
    stallCount: stalls.length,
    skipped: reading?.skipped ?? 0,
    playedTo: reading?.position ?? 0,
    consumed: (isVod ? Math.min(have, duration) : have) * meanRate(media, playedIn),
    switchesSettled: switchesAfter(reading?.heights ?? [], SETTLED_SECONDS),
    mostPlayed: heightOfMost(playedIn),
  };
}

/** Changes of the picture's height later than so many seconds after the viewer's start. */
export const switchesAfter = (heights: readonly { readonly at: number }[], seconds: number): number =>
  heights.slice(1).filter(({ at }) => at > seconds).length;

/** @returns height → share, over all viewers */
export function playedShares(viewers: readonly Pick<ViewerRecord, 'reading'>[]): Record<number, number> {
  const seconds = new Map<number, number>();
  for (const { reading } of viewers)
    for (const [height, played] of Object.entries(reading?.playedIn ?? {}))
      seconds.set(Number(height), (seconds.get(Number(height)) ?? 0) + played);
  const total = sum([...seconds.values()]);
  return Object.fromEntries([...seconds].map(([height, played]) => [height, played / total]));
}

function heightOfMost(weights: Readonly<Record<number, number>>): number | undefined {
  const [most] = Object.entries(weights).sort(([, a], [, b]) => b - a);
  return most === undefined ? undefined : Number(most[0]);
}

/** Bytes of a second of what was played, weighted by how long each rendition was; of the first rendition if nobody has seen any. */
function meanRate({ rates }: MediaFacts, weights: Readonly<Record<number, number>>): number {
  const known = [...rates].map(([height, rate]) => ({ rate, weight: weights[height] ?? 0 }));
  const total = sum(known.map(({ weight }) => weight));
  return total === 0 ? (known[0]?.rate ?? NaN) : sum(known.map(({ rate, weight }) => (rate * weight) / total));
}
