/**
 * From the rounds of all systems to a table of medians, ratios and bars. A ratio is the median of those within each round, for the machine is another
 * from one round to the next. What was to be measured and is not there, NaN, meets no bar. Pure.
 */
import { medianOrNaN, sum } from '../statistics.ts';
import type { Round } from './round.ts';

export type Rounds = ReadonlyMap<string, readonly Round[]>;

/** One line of the table. */
export interface Line {
  readonly row: string;
  /** A figure for each system, in the order of the rounds. */
  readonly figures: readonly string[];
  /** The kit's figure to that of socket.io; undefined where there is none. */
  readonly ratio: number | undefined;
  /** What the ratio, or the figure, should be; empty where nothing is asked. */
  readonly bar: string;
  /** undefined: nothing is asked, or there is nothing to compare with. */
  readonly met: boolean | undefined;
}

export const OURS = 'p2p-elements';
export const BARE = 'socket.io';

interface Row {
  readonly row: string;
  readonly of: (round: Round) => number | undefined;
  readonly unit: string;
  /** The kit's figure is at most so many times that of socket.io. */
  readonly most?: number;
  /** The same, as a rate: it is at least so many times as fast. */
  readonly fastness?: number;
}

const ROWS: readonly Row[] = [
  { row: 'memory of an idle peer', of: ({ rss }) => rss, unit: 'B', most: 1 },
  { row: '… of it alive', of: ({ live }) => live, unit: 'B' },
  { row: 'a connection', of: ({ connect }) => connect, unit: 'µs' },
  { row: 'a join', of: ({ join }) => join, unit: 'µs', fastness: 0.95 },
  { row: '… with all news of it', of: ({ joinWithNews }) => joinWithNews, unit: 'µs' },
  { row: 'a signal, answered', of: ({ signalAnswered }) => signalAnswered, unit: 'µs', fastness: 1.25 },
  { row: 'a signal, not answered', of: ({ signal }) => signal, unit: 'µs' },
  { row: 'a dropped peer', of: ({ drop }) => drop, unit: 'µs', most: 1.1 },
  { row: 'a ping, and its pong', of: ({ ping }) => ping, unit: 'µs' },
  { row: 'a second of idleness', of: ({ idle }) => (idle === undefined ? undefined : idle / 1000), unit: 'ms' },
];

/** Most that a join may cost in a swarm of all peers, in costs of one in a swarm of 100. */
const MOST_GROWTH = 1.2;

export function linesOf(rounds: Rounds): Line[] {
  return [...ROWS.map((row) => lineOf(row, rounds)), growthLine(rounds), lostLine(rounds), burstLine(rounds)].filter(
    ({ figures }) => figures.some((figure) => figure !== ''),
  );
}

/** As Markdown. */
export function tableOf(rounds: Rounds): string {
  const cells = [
    ['', ...rounds.keys(), 'ratio', 'bar'],
    ['---', ...[...rounds.keys()].map(() => '---'), '---', '---'],
    ...linesOf(rounds).map(({ row, figures, ratio, bar, met }) => [
      row,
      ...figures,
      ratio === undefined ? '' : ratio.toFixed(2),
      bar + (met === undefined ? '' : met ? ': met' : ': **missed**'),
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) => {
      const padded = line.map((cell, column) => cell.padEnd(widths[column] ?? 0, cell === '---' ? '-' : ' '));
      return `| ${padded.join(' | ')} |`;
    })
    .join('\n');
}

function lineOf({ row, of, unit, most, fastness }: Row, rounds: Rounds): Line {
  const medians = mediansOf(rounds, of);
  const figures = [...rounds.keys()].map((name) => figure(medians.get(name), unit));
  const bar =
    most !== undefined ? `≤ ${most.toFixed(2)}` : fastness !== undefined ? `≥ ${fastness.toFixed(2)} × as fast` : '';
  const share = shareOf(rounds, of);
  if (share === undefined) return { row, figures, bar, ratio: undefined, met: undefined };
  const ratio = fastness === undefined ? share : 1 / share;
  const met = most !== undefined ? share <= most : fastness !== undefined ? ratio >= fastness : undefined;
  return { row, figures, bar, ratio, met };
}

/** Of ours to that of socket.io; undefined: there is none of one of them. */
function shareOf(rounds: Rounds, of: Row['of']): number | undefined {
  const [ours, bare] = [OURS, BARE].map((name) => (rounds.get(name) ?? []).map(of));
  const shares = ours?.flatMap((value, round) => {
    const other = bare?.[round];
    return value === undefined || other === undefined ? [] : value / other;
  });
  if (shares === undefined || shares.length === 0) return undefined;
  return shares.some(Number.isNaN) ? NaN : medianOrNaN(shares);
}

function growthLine(rounds: Rounds): Line {
  const medians = mediansOf(rounds, ({ joinGrowth }) => joinGrowth);
  const ours = medians.get(OURS);
  return {
    row: 'a join among all / among 100',
    figures: [...rounds.keys()].map((name) => medians.get(name)?.toFixed(2) ?? ''),
    ratio: undefined,
    bar: `≤ ${MOST_GROWTH.toFixed(2)} of ours`,
    met: ours === undefined ? undefined : ours <= MOST_GROWTH,
  };
}

function lostLine(rounds: Rounds): Line {
  const totals = foldOf(rounds, ({ dropLost }) => dropLost, sum);
  return countLine('signals of survivors lost or doubled, in all', totals, rounds);
}

function burstLine(rounds: Rounds): Line {
  const worst = foldOf(
    rounds,
    ({ burst }) => burst?.failed,
    (all) => Math.max(...all),
  );
  const line = countLine('connections of a burst that failed', worst, rounds);
  const detail = mediansOf(rounds, ({ burst }) => burst?.lastAfter);
  return {
    ...line,
    figures: line.figures.map((text, index) => {
      const after = detail.get([...rounds.keys()][index] ?? '');
      return text === '' || after === undefined ? text : `${text}, last after ${(after / 1000).toFixed(1)} s`;
    }),
  };
}

/** Of ours there should be none. */
function countLine(row: string, counts: ReadonlyMap<string, number>, rounds: Rounds): Line {
  const ours = counts.get(OURS);
  return {
    row,
    figures: [...rounds.keys()].map((name) => figure(counts.get(name), '')),
    ratio: undefined,
    bar: '0 of ours',
    met: ours === undefined ? undefined : ours === 0,
  };
}

const mediansOf = (rounds: Rounds, of: Row['of']): Map<string, number> =>
  foldOf(rounds, of, (values) => (values.some(Number.isNaN) ? NaN : medianOrNaN(values)));

/** One number for each system that has any. */
function foldOf(rounds: Rounds, of: Row['of'], fold: (values: readonly number[]) => number): Map<string, number> {
  const folded = new Map<string, number>();
  for (const [name, all] of rounds) {
    const values = all.map(of).filter((value) => value !== undefined);
    if (values.length > 0) folded.set(name, fold(values));
  }
  return folded;
}

function figure(value: number | undefined, unit: string): string {
  if (value === undefined) return '';
  if (Number.isNaN(value)) return 'missing';
  const text =
    Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toFixed(1);
  return unit === '' ? text : `${text} ${unit}`;
}
