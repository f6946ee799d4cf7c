/** The figures of a scenario, and the bars that they are held against. */
import type { RunResult, Seen } from './run.ts';
import type { Scenario } from './scenario.ts';
import { sum } from './tally.ts';

/** A run with P2P, and the same without. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly mesh: RunResult;
  /** Of large networks a sample of the sites: without P2P they have nothing to do with each other. */
  readonly alone: RunResult;
}

export interface Figures {
  readonly scenario: string;
  readonly viewers: number;
  readonly sites: number;
  /** Copies of a segment that cross a site's line: mean over segments, worst segment (mean of sites), worst segment at the worst site. */
  readonly copies: number;
  readonly copiesWorst: number;
  readonly copiesWorstSite: number;
  /** Copies of a segment at the origin; shares of the sites and viewers that took some of it there, in percent. */
  readonly originCopies: number;
  readonly originCopiesWorst: number;
  readonly sitesAtOrigin: number;
  readonly viewersAtOrigin: number;
  /** In percent; what would be possible were each segment taken from the origin once. */
  readonly offload: number;
  readonly offloadPossible: number;
  /** Seconds of all viewers; without P2P as many times the sample's as there are more viewers. */
  readonly stalled: number;
  readonly stalledAlone: number;
  /** Viewers of the sample who stalled longer than without P2P, and whose first frame came more than 0.3 s later. */
  readonly stalledMore: number;
  readonly laterFrames: number;
  /** Seconds; Infinity: it never came. */
  readonly firstFrame: readonly [p50: number, p95: number];
  readonly firstFrameAlone: readonly [p50: number, p95: number];
  readonly uploadMaxToMedian: number;
  readonly messagesPerPeerSecond: number;
  /** Neighbours of a viewer half-way: the fewest, the median, the most. */
  readonly neighbours: readonly number[];
  readonly banned: number;
}

export interface Bar {
  readonly scenario: string;
  readonly name: string;
  readonly most: number;
  readonly value: number;
  readonly isMet: boolean;
}

/** What is no stall but the way times are counted, ms; and how much later a first frame may come. */
const STALL_TOLERANCE_MS = 50;
const FIRST_FRAME_TOLERANCE_MS = 300;

export const nameOf = ({ network, behaviour }: Scenario): string => `${network}/${behaviour}`;

export function figuresOf({ scenario, mesh, alone }: Outcome): Figures {
  const { segments } = mesh;
  const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);
  const worst = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0);
  const frames = mesh.seen.map(({ firstFrame }) => firstFrame ?? Infinity);
  const framesAlone = alone.seen.map(({ firstFrame }) => firstFrame ?? Infinity);
  const pairs = pairsOf(mesh, alone);
  return {
    scenario: nameOf(scenario),
    viewers: mesh.seen.length,
    sites: scenario.kind.sites,
    copies: mean(segments.map(({ copiesMean }) => copiesMean)),
    copiesWorst: worst(segments.map(({ copiesMean }) => copiesMean)),
    copiesWorstSite: worst(segments.map(({ copiesWorst }) => copiesWorst)),
    originCopies: mean(segments.map(({ originCopies }) => originCopies)),
    originCopiesWorst: worst(segments.map(({ originCopies }) => originCopies)),
    sitesAtOrigin: 100 * mean(segments.map(({ sitesAtOrigin }) => sitesAtOrigin)),
    viewersAtOrigin: 100 * mean(segments.map(({ viewersAtOrigin }) => viewersAtOrigin)),
    offload: 100 * (1 - mesh.fromOrigin / mesh.consumed),
    offloadPossible: 100 * (1 - mesh.possible / mesh.consumed),
    stalled: sum(mesh.seen.map(({ stalled }) => stalled)) / 1000,
    stalledAlone: (sum(alone.seen.map(({ stalled }) => stalled)) / 1000) * (mesh.seen.length / alone.seen.length),
    stalledMore: pairs.filter(([with_, without]) => isWorse(with_, without)).length,
    laterFrames: pairs.filter(([with_, without]) => isLater(with_, without)).length,
    firstFrame: [percentile(frames, 0.5) / 1000, percentile(frames, 0.95) / 1000],
    firstFrameAlone: [percentile(framesAlone, 0.5) / 1000, percentile(framesAlone, 0.95) / 1000],
    uploadMaxToMedian: worst(mesh.uploads) / percentile(mesh.uploads, 0.5),
    messagesPerPeerSecond: mesh.messages / mesh.peerSeconds,
    neighbours: [0, 0.5, 1].map((share) => percentile(mesh.neighbours, share)),
    banned: mesh.banned,
  };
}

/** What each viewer of the sample saw with P2P and without. */
function pairsOf(mesh: RunResult, alone: RunResult): (readonly [Seen, Seen])[] {
  const seenAlone = new Map(alone.seen.map((seen) => [seen.viewer, seen]));
  return mesh.seen.flatMap((seen) => {
    const without = seenAlone.get(seen.viewer);
    return without ? [[seen, without] as const] : [];
  });
}

/** Who stalls longer only because it started earlier has lost nothing. */
const isWorse = (mesh: Seen, alone: Seen): boolean =>
  mesh.stalled > alone.stalled + STALL_TOLERANCE_MS && mesh.waited > alone.waited + STALL_TOLERANCE_MS;

const isLater = (mesh: Seen, alone: Seen): boolean =>
  (mesh.firstFrame ?? Infinity) > (alone.firstFrame ?? Infinity) + FIRST_FRAME_TOLERANCE_MS;

/** D3: what each network has to reach, whatever its viewers do. */
export function barsOf(outcome: Outcome, reference: Figures | undefined): Bar[] {
  const figures = figuresOf(outcome);
  const { network, behaviour } = outcome.scenario;
  const bar = (name: string, value: number, most: number): Bar => ({
    scenario: figures.scenario,
    name,
    most,
    value,
    isMet: value <= most,
  });
  const bars = [bar('viewers who stall more than without P2P', figures.stalledMore, 0)];
  const isPlain = behaviour === 'together' || behaviour === 'staggered' || behaviour === 'live';
  if (isPlain && network === 'classroom-30') bars.push(bar('copies', figures.copies, 1.1));
  if (isPlain && network === 'assembly-1000') bars.push(bar('copies', figures.copies, 3));
  if (isPlain && network === 'sites-200x50')
    bars.push(bar('copies per site', figures.copies, 1.3), bar('% of sites at the origin', figures.sitesAtOrigin, 5));
  if (isPlain && network === 'households-10000')
    bars.push(
      bar('% of viewers at the origin', figures.viewersAtOrigin, 1),
      bar('upload max/median', figures.uploadMaxToMedian, 4),
    );
  if (reference && !isPlain && behaviour !== 'seek') {
    const lost = (of: Figures): number => of.offloadPossible - of.offload;
    bars.push(bar('points of offload lost to churn or bad peers', lost(figures) - lost(reference), 3));
  }
  return bars;
}

const f = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : 'never');

const COLUMNS: readonly (readonly [title: string, cell: (figures: Figures) => string])[] = [
  ['scenario', (of) => of.scenario],
  ['viewers', (of) => `${of.viewers}`],
  [
    'copies per site: mean, worst segment, worst site',
    (of) => [of.copies, of.copiesWorst, of.copiesWorstSite].map((n) => f(n, 2)).join(', '),
  ],
  ['copies at the origin: mean, worst', (of) => `${f(of.originCopies, 2)}, ${f(of.originCopiesWorst, 2)}`],
  ['% of sites, viewers at the origin', (of) => `${f(of.sitesAtOrigin, 1)}, ${f(of.viewersAtOrigin, 1)}`],
  ['offload % (possible)', (of) => `${f(of.offload, 1)} (${f(of.offloadPossible, 1)})`],
  ['stalled s (without P2P)', (of) => `${f(of.stalled, 1)} (${f(of.stalledAlone, 1)})`],
  ['stall more, start later', (of) => `${of.stalledMore}, ${of.laterFrames}`],
  ['first frame s p50, p95', (of) => of.firstFrame.map((n) => f(n, 2)).join(', ')],
  ['without P2P', (of) => of.firstFrameAlone.map((n) => f(n, 2)).join(', ')],
  ['upload max/median', (of) => f(of.uploadMaxToMedian, 1)],
  ['messages per peer and s', (of) => f(of.messagesPerPeerSecond, 1)],
  ['neighbours: least, median, most', (of) => of.neighbours.join(', ')],
  ['banned', (of) => `${of.banned}`],
];

export function figuresTable(all: readonly Figures[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    COLUMNS.map(() => '---'),
    ...all.map((figures) => COLUMNS.map(([, cell]) => cell(figures))),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function barsTable(bars: readonly Bar[]): string {
  const rows = bars.map(
    ({ scenario, name, value, most, isMet }) =>
      `| ${scenario} | ${name} | ${f(value, 2)} | ${most} | ${isMet ? 'pass' : 'FAIL'} |`,
  );
  return ['| scenario | bar | value | at most | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
