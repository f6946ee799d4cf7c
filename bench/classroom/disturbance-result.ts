/** What became of the others when the line was cut or a browser killed. Pure. */
import type { MediaFacts, Measurement, ViewerRecord } from './measurement.ts';
import { SEGMENT_SECONDS } from './options.ts';
import type { Served } from './served.ts';
import { greatest, sum } from '../statistics.ts';

export interface CutResult {
  /** Furthest end of what any viewer had buffered at the cut, in seconds of media, and whose it was. */
  readonly heldTo: number;
  readonly holder: number;
  /** End of the last segment that the origin had handed over whole by then. A store may have it although no player has buffered it yet. */
  readonly sentTo: number;
  /** By how much the holder's buffer reached further than the shortest of the others. */
  readonly aheadBy: number;
  /** To which second each other viewer came, and whether it has played all whole segments held. */
  readonly others: readonly { readonly number: number; readonly playedTo: number; readonly reached: boolean }[];
}

/** Positions within half a second count as reached: a player's end of a segment is not to the frame. */
const REACHED_TOLERANCE = 0.5;
/** hls.js hops over gaps between segments; more than this is a segment that was not played. */
const SKIP_TOLERANCE = 1;

export function cutResult({ disturbance, viewers, served, when, media }: Measurement): CutResult | undefined {
  if (disturbance?.kind !== 'line cut') return undefined;
  const [holder, ...rest] = [...disturbance.viewers].sort((a, b) => b.bufferEnd - a.bufferEnd);
  if (holder === undefined) return undefined;
  const wholeTo = Math.floor((holder.bufferEnd + REACHED_TOLERANCE) / SEGMENT_SECONDS) * SEGMENT_SECONDS;
  const readings = new Map(viewers.map(({ number, reading }) => [number, reading]));
  const others = rest.map(({ number }) => {
    const { position: playedTo = 0, skipped = 0 } = readings.get(number) ?? {};
    return { number, playedTo, reached: playedTo >= wholeTo - REACHED_TOLERANCE && skipped <= SKIP_TOLERANCE };
  });
  return {
    heldTo: holder.bufferEnd,
    holder: holder.number,
    sentTo: sentTo(served, media, Date.parse(when) + disturbance.at * 1000),
    aheadBy: holder.bufferEnd - Math.min(holder.bufferEnd, ...rest.map(({ bufferEnd }) => bufferEnd)),
    others: others.sort((a, b) => a.number - b.number),
  };
}

/** @param cutAt milliseconds since 1970 */
function sentTo(served: readonly Served[], { sizes }: MediaFacts, cutAt: number): number {
  const whole = served.flatMap(({ path, end, bytes }) => {
    const [, file = '', number] = /^\/media\/(.*?(\d+)\.ts)$/.exec(path) ?? [];
    return end <= cutAt && bytes >= (sizes.get(file) ?? Infinity) ? (Number(number) + 1) * SEGMENT_SECONDS : [];
  });
  return greatest(whole) ?? 0;
}

/** Stalls of those who live that lasted past the moment of the kill; undefined if nobody was killed. */
export function stallsAfterKill({ disturbance, viewers }: Measurement): number | undefined {
  if (disturbance?.kind !== 'viewer killed') return undefined;
  const after = ({ startedAt = 0, reading }: ViewerRecord): number =>
    (reading?.stalls ?? []).filter(({ at, duration }) => startedAt + at + duration > disturbance.at).length;
  return sum(viewers.filter(({ state }) => state !== 'killed').map(after));
}
