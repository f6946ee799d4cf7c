/** A run for people. */
import type { Measurement } from './measurement.ts';
import { describe } from './options.ts';
import { QUIET_CORES, type Result } from './result.ts';

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
/** A figure, or a dash where there is none. */
export const figure = (value: number | undefined, digits = 2): string =>
  value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);

export function report(measurement: Measurement, result: Result): string {
  const rows = [...figures(measurement, result), ...specials(result)];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return [describe(measurement.options), ...lines, ...problems(measurement)].join('\n');
}

type Row = readonly [name: string, value: string];

function figures({ options, viewers, wall, machineBusy, otherCores }: Measurement, result: Result): Row[] {
  const { served, segmentCopies: copies } = result;
  const { media, page, playlist, leaves } = served;
  const seeded = result.uplinkAfterSeed === undefined ? '' : `, after the seed ${megabytes(result.uplinkAfterSeed)}`;
  const skipped = result.skipped > 0.5 ? `, skipped ${figure(result.skipped, 1)} s` : '';
  const parts = [media, page, playlist, leaves].map(({ bytes }) => megabytes(bytes)).join(', ');
  const frames = result.perViewer.map(({ firstFrame }) => figure(firstFrame, 1)).join(' ');
  return [
    [
      'mediaCopies, all bytes / one copy',
      `${figure(result.mediaCopies)}, ${figure(result.allCopies)}   (one copy ${megabytes(result.oneCopy)} MB)`,
    ],
    ['offload', percent(result.offload)],
    ['line MB (media, pages, playlists, leaves)', `${megabytes(result.uplinkBytes)} (${parts})${seeded}`],
    [
      'copies per segment min / median / max',
      copies === undefined
        ? '–'
        : `${figure(copies.min)} / ${figure(copies.median)} / ${figure(copies.max)}   (${media.requests} requests, ${media.aborted} aborted)`,
    ],
    [
      'first frame median / max, s',
      `${figure(result.firstFrameMedian)} / ${figure(result.firstFrameMax)}   (${frames})`,
    ],
    [
      'stalls',
      `${figure(result.stallSeconds, 1)} s in ${result.stallCount}${skipped}   (${result.perViewer.map(({ stallSeconds }) => figure(stallSeconds, 1)).join(' ')})`,
    ],
    [options.mode === 'vod' ? 'reached the end' : 'play at the end', `${result.completed} of ${viewers.length}`],
    ['MB sent on the LAN, by viewer', viewers.map(({ sent }) => megabytes(sent)).join(' ')],
    ['browsers: CPU s, frames dropped', `${figure(result.browserCpuSeconds, 1)}, ${percent(result.framesDropped)}`],
    [
      'machine busy, cores used by others',
      `${percent(machineBusy)}, ${figure(otherCores)}${otherCores > QUIET_CORES ? ' (not quiet: repeat before you believe starts and stalls)' : ''}`,
    ],
    ['wall, s', figure(wall, 1)],
  ];
}

function specials({ cut, stallsAfterKill, playedShares, maxSwitchesSettled }: Result): Row[] {
  const rows: Row[] = [];
  if (cut !== undefined) {
    const others = cut.others.map(({ playedTo, reached }) => `${figure(playedTo, 1)}${reached ? '' : '!'}`).join(' ');
    rows.push([
      'at the cut held to, by',
      `${figure(cut.heldTo, 1)} s, viewer ${cut.holder}, ${figure(cut.aheadBy, 1)} s ahead; the origin had sent to ${figure(cut.sentTo, 0)} s`,
    ]);
    rows.push(['the others played to (! = too short)', others]);
  }
  if (stallsAfterKill !== undefined) rows.push(["others' stalls after the kill", String(stallsAfterKill)]);
  if (Object.keys(playedShares).length > 1 || maxSwitchesSettled > 0) {
    const shares = Object.entries(playedShares).map(([height, share]) => `${height}p ${percent(share)}`);
    rows.push(['played in', shares.join(', ')], ['most switches of one viewer after 15 s', String(maxSwitchesSettled)]);
  }
  return rows;
}

function problems({ viewers }: Measurement): string[] {
  return viewers.flatMap(({ number, reading, warnings }) => {
    const all = [...(reading?.errors ?? []), ...warnings];
    const more = all.length > 3 ? ` (and ${all.length - 3} more)` : '';
    return all.length === 0 ? [] : [`  v${number}: ${all.slice(0, 3).join(' | ')}${more}`];
  });
}
