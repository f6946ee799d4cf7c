/** The matrix's results as Markdown. Pure. */
import type { SystemName } from './options.ts';
import { figure } from './report.ts';
import { QUIET_CORES, type Result } from './result.ts';
import { figureOf, REFERENCE, type Bar, type FigureName, type Scenario } from './scenarios.ts';
import { median } from '../statistics.ts';

/** All runs of one system in one scenario. One that failed is not among the results. */
export interface Cell {
  readonly scenario: Scenario;
  readonly system: SystemName;
  readonly results: readonly Result[];
  /** Runs that were begun. */
  readonly runs: number;
}

export interface Verdict {
  readonly bar: Bar;
  readonly value: number | undefined;
  readonly passed: boolean;
}

const LABELS: Readonly<Record<FigureName, string>> = {
  mediaCopies: 'media copies',
  allCopies: 'all bytes',
  firstFrame: 'first frame',
  firstFrameRatio: 'first frame / reference',
  stalls: 'stalls',
  completed: 'viewers to the end',
  fellShort: 'viewers that fell short',
  stallsAfterKill: 'stalls after it',
  mostPlayed: 'height played most',
  switches: 'switches',
};

const HEAD = [
  'scenario',
  'system',
  'copies: media / all',
  'first frame: median / max, s',
  'stalls: s / count',
  'to the end',
  'bars',
];

const SIGNS = { 'at most': '≤', 'at least': '≥', exactly: '=' } as const;

/** Median first frame of the reference's runs, seconds. */
export const referenceFirstFrame = (cells: readonly Cell[]): number | undefined =>
  median(
    cells
      .filter(({ scenario }) => scenario === REFERENCE)
      .flatMap(({ results }) => results.flatMap(({ firstFrameMedian }) => firstFrameMedian ?? [])),
  );

/** Each bar against the median of the runs. Fewer results than runs pass nothing. */
export function verdicts({ scenario, results, runs }: Cell, reference: number | undefined): Verdict[] {
  return scenario.bars.map((bar) => {
    const value = median(results.flatMap((result) => figureOf(bar.figure, result, reference) ?? []));
    return { bar, value, passed: results.length === runs && value !== undefined && meets(value, bar) };
  });
}

function meets(value: number, { is, limit }: Bar): boolean {
  switch (is) {
    case 'at most':
      return value <= limit;
    case 'at least':
      return value >= limit;
    case 'exactly':
      return value === limit;
  }
}

/** Bars are ours: what others do against them is shown, not judged. */
export const isJudged = ({ system, scenario }: Cell): boolean => system === 'p2p-elements' && scenario.bars.length > 0;

export const allPassed = (cells: readonly Cell[]): boolean =>
  cells.filter(isJudged).every((cell) => verdicts(cell, referenceFirstFrame(cells)).every(({ passed }) => passed));

/** What the reader of the table must know; nothing if the machine was ours. */
export function disturbanceNote(cells: readonly Cell[]): string {
  const results = cells.flatMap((cell) => cell.results);
  const disturbed = results.filter(({ otherCores }) => otherCores > QUIET_CORES).length;
  return disturbed === 0
    ? ''
    : `In ${disturbed} of ${results.length} runs the machine was busy with something else (more than ${QUIET_CORES} cores): starts and stalls, the reference's too, are not to be trusted.`;
}

export function table(cells: readonly Cell[]): string {
  const reference = referenceFirstFrame(cells);
  const rows = [HEAD, HEAD.map(() => '---'), ...cells.map((cell) => row(cell, reference))];
  return rows.map((columns) => `| ${columns.join(' | ')} |`).join('\n');
}

function row(cell: Cell, reference: number | undefined): string[] {
  const { scenario, system, results, runs } = cell;
  const middle = (pick: (result: Result) => number | undefined): number | undefined =>
    median(results.flatMap((result) => pick(result) ?? []));
  const failed = results.length < runs ? ` (${runs - results.length} of ${runs} runs failed)` : '';
  const bars = isJudged(cell) ? verdicts(cell, reference).map(formatVerdict).join('<br>') : '';
  return [
    `${scenario.id}: ${scenario.title}`,
    system + failed,
    `${figure(middle((result) => result.mediaCopies))} / ${figure(middle((result) => result.allCopies))}`,
    `${figure(middle((result) => result.firstFrameMedian))} / ${figure(middle((result) => result.firstFrameMax))}`,
    `${figure(
      middle((result) => result.stallSeconds),
      1,
    )} / ${figure(
      middle((result) => result.stallCount),
      0,
    )}`,
    `${figure(
      middle((result) => result.completed),
      0,
    )} of ${results[0]?.perViewer.length ?? '–'}`,
    bars,
  ];
}

function formatVerdict({ bar: { figure: name, is, limit }, value, passed }: Verdict): string {
  const digits = value !== undefined && Number.isInteger(value) ? 0 : 2;
  return `${passed ? '✔' : '✖'} ${LABELS[name]} ${figure(value, digits)} ${SIGNS[is]} ${limit}`;
}
