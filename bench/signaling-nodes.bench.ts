/**
 * Two nodes and a Redis: what a signal costs where both peers are at one node, and where they are not, CPU of both nodes and of Redis, beside one node
 * without Redis; behind nginx, how long signals from node to node take at 500 a second; and what becomes of the peers of a node that is killed. Beside a
 * bare socket.io relay with its own adapters. In alternating order, medians; ratios are those of what was measured in the same turn.
 *
 * npm run bench -- signaling-nodes [--peers 5000] [--runs 3] [--only ROW …]
 * Ends with 1 when a bar is missed.
 */
import { Command, Option } from 'commander';
import { splitCores } from './signaling/cores.ts';
import { Fleet, type Reach } from './signaling/fleet.ts';
import { move, type Move } from './signaling/move.ts';
import { Nodes, type NodesOptions } from './signaling/nodes.ts';
import { count } from './signaling/options.ts';
import { SYSTEMS, type System } from './signaling/systems.ts';
import { medianOrNaN, quantile } from './statistics.ts';

const ROWS = ['cpu', 'latency', 'kill'] as const;
type RowName = (typeof ROWS)[number];

interface Options {
  readonly peers: number;
  readonly runs: number;
  readonly only: readonly RowName[];
}

const SIGNALS = 40_000;
/** What a signal costs is measured so often in each run, of others less, which have no bar, with so many of them. */
const TURNS = 8;
const TURNS_OF_OTHERS = 2;
const TURN_SIGNALS = 20_000;
/** Signals a second, for how long, ms, and how often in each run, of which the time on the way is measured. */
const MURMUR = 500;
const MURMUR_MS = 5000;
const MURMURS = 4;
const SWARM = 'https://video.example/lesson/index.m3u8';

const [ours, relay] = SYSTEMS as readonly [System, System, ...System[]];

interface Case {
  readonly name: string;
  readonly system: System;
  readonly count: 1 | 2;
  readonly env: Readonly<Record<string, string>>;
}

const [ALONE, TWO, SHARDED] = ['p2p-elements, one node', 'p2p-elements, two nodes', 'socket.io, sharded adapter'];

const CASES: readonly Case[] = [
  { name: ALONE, system: ours, count: 1, env: {} },
  { name: TWO, system: ours, count: 2, env: {} },
  { name: 'socket.io, one node', system: relay, count: 1, env: {} },
  { name: SHARDED, system: relay, count: 2, env: { BENCH_ADAPTER: 'sharded' } },
  { name: 'socket.io, streams adapter', system: relay, count: 2, env: { BENCH_ADAPTER: 'streams' } },
];

/** CPU of a signal in microseconds, in all; milliseconds on the way that half of them, and 99 of 100, did not exceed. */
interface Figures {
  here?: number;
  elsewhere?: number;
  p50?: number;
  p99?: number;
  missing?: number;
  kill?: Move;
}

type What = 'here' | 'elsewhere' | 'p50' | 'p99';

/** What is asked of the medians, and of counts the worst. */
interface Bar {
  readonly row: RowName;
  readonly text: string;
  readonly value: number;
  readonly most: number;
}

await new Command('signaling-nodes')
  .description('what two nodes with a Redis cost, how fast they are, and what becomes of the peers of a dead one')
  .option('--peers <count>', 'in one swarm', count, 5000)
  .option('--runs <count>', 'rounds of each case', count, 3)
  .addOption(new Option('--only <rows...>', 'what is measured').choices(ROWS).default(ROWS))
  .action(compare)
  .parseAsync();

async function compare(options: Options): Promise<void> {
  const core = splitCores();
  const figures = new Map<string, Figures[]>(CASES.map(({ name }) => [name, []]));
  const note = (run: number, { name }: Case, seen: Figures): void => {
    figures.get(name)?.push(seen);
    console.error(`run ${run + 1}, ${name}: ${JSON.stringify(seen)}`);
  };
  for (let run = 0; run < options.runs; run++) {
    // whoever goes second may find another machine: each is first in turn
    const inTurn = run % 2 === 0 ? CASES : [...CASES].reverse();
    if (options.only.includes('cpu'))
      for (const system of new Set(inTurn.map(({ system }) => system)))
        await withFleets(
          inTurn.filter((each) => each.system === system),
          options,
          { isBehindNginx: false, core },
          (sides) => cpu(sides, (each, seen) => note(run, each, seen)),
        );
    const isTimed = options.only.includes('latency');
    const isKilled = options.only.includes('kill');
    if (isTimed || isKilled)
      await withFleets(
        inTurn.filter(({ count, system }) => count === 2 && (isTimed || system === ours)),
        options,
        { isBehindNginx: true, core },
        async (sides) => {
          if (isTimed) await latency(sides, (each, seen) => note(run, each, seen));
          for (const { of, fleet, nodes } of sides) {
            const [first] = nodes.servers;
            if (isKilled && of.system === ours && first)
              note(run, of, { kill: await move(fleet, SWARM, first, SIGNALS) });
          }
        },
      );
  }
  report(figures, options);
}

/** A case with its servers and all peers. */
interface Side {
  readonly of: Case;
  readonly nodes: Nodes;
  readonly fleet: Fleet;
}

type Tell = (of: Case, seen: Figures) => void;

/** All of them at the same time. */
async function withFleets(
  cases: readonly Case[],
  { peers }: Options,
  where: Pick<NodesOptions, 'isBehindNginx' | 'core'>,
  work: (sides: readonly Side[]) => Promise<void>,
): Promise<void> {
  const sides: Side[] = [];
  try {
    for (const of of cases) {
      const nodes = await Nodes.start({ ...of, ...where });
      const fleet = new Fleet(of.system, nodes.ports);
      sides.push({ of, nodes, fleet });
      await fleet.open(peers);
      await fleet.join(fleet.peers, SWARM);
    }
    await work(sides);
    for (const { fleet } of sides) fleet.destroy();
  } finally {
    for (const { nodes } of sides) await nodes.stop();
  }
}

/** In turns, since the machine is another from one second to the next: what is told of each side in the same turn can be compared. */
async function cpu(sides: readonly Side[], tell: Tell): Promise<void> {
  const cost = async ({ fleet, nodes }: Side, reach: Reach): Promise<number> => {
    const before = nodes.cpu();
    await fleet.exchange(fleet.peers, TURN_SIGNALS, true, reach);
    return (nodes.cpu() - before) / TURN_SIGNALS;
  };
  // compiled, and where peers are is known
  for (const { of, fleet } of sides)
    for (const reach of reaches(of)) await fleet.exchange(fleet.peers, SIGNALS, true, reach);
  const turns = sides.some(({ of }) => of.system === ours) ? TURNS : TURNS_OF_OTHERS;
  for (let turn = 0; turn < turns; turn++)
    for (const side of turn % 2 === 0 ? sides : [...sides].reverse()) {
      const seen: Figures = {};
      for (const reach of reaches(side.of)) seen[reach] = await cost(side, reach);
      tell(side.of, seen);
    }
}

function reaches({ count }: Case): readonly ('here' | 'elsewhere')[] {
  return count === 1 ? ['here'] : ['here', 'elsewhere'];
}

/** In turns, too; what is told of a side is that of all its turns: a garbage collection falls into one and not into the next. */
async function latency(sides: readonly Side[], tell: Tell): Promise<void> {
  const seen = sides.map(() => ({ times: [] as number[], missing: 0 }));
  for (const { fleet } of sides) await fleet.exchange(fleet.peers, SIGNALS / 2, true, 'elsewhere');
  for (let turn = 0; turn < MURMURS; turn++)
    for (const index of turn % 2 === 0 ? sides.keys() : [...sides.keys()].reverse()) {
      const [side, all] = [sides[index], seen[index]];
      if (!side || !all) continue;
      const tally = await side.fleet.murmur(side.fleet.peers, MURMUR, MURMUR_MS, 'elsewhere');
      all.times.push(...tally.times);
      all.missing += tally.missing + tally.surplus;
    }
  sides.forEach(({ of }, index) => {
    const { times = [], missing = NaN } = seen[index] ?? {};
    tell(of, { p50: quantile(times, 0.5) ?? NaN, p99: quantile(times, 0.99) ?? NaN, missing });
  });
}

function report(figures: ReadonlyMap<string, readonly Figures[]>, { only }: Options): void {
  const all = (name: string, of: (one: Figures) => number | undefined): number[] =>
    (figures.get(name) ?? []).flatMap((one) => of(one) ?? []);
  const median = (name: string, of: (one: Figures) => number | undefined): number => medianOrNaN(all(name, of));
  console.log(
    '| | CPU, same node, µs | CPU, other node, µs | half of them, ms | p99 at 500/s, ms |\n| - | - | - | - | - |',
  );
  for (const { name } of CASES) {
    const cells = (['here', 'elsewhere', 'p50', 'p99'] as const).map((what) => median(name, (one) => one[what]));
    console.log(`| ${[name, ...cells.map((value) => (Number.isNaN(value) ? '' : value.toFixed(1)))].join(' | ')} |`);
  }
  const worst = (of: (kill: Move) => number): number =>
    Math.max(...all(TWO, ({ kill }) => (kill === undefined ? undefined : of(kill))));
  /** Of two nodes, beside another case in the same turn. */
  const beside = (what: What, other: string, whatOfOther: What): number => {
    const [ours, others] = [all(TWO, (one) => one[what]), all(other, (one) => one[whatOfOther])];
    const ratios = ours.map((value, turn) => value / (others[turn] ?? NaN));
    return ours.length !== others.length || ratios.some(Number.isNaN) ? NaN : medianOrNaN(ratios);
  };
  const bars: readonly Bar[] = [
    {
      row: 'cpu',
      text: 'CPU, same node / one node alone',
      value: beside('here', ALONE, 'here'),
      most: 1.1,
    },
    {
      row: 'cpu',
      text: 'CPU, other node / one node alone',
      value: beside('elsewhere', ALONE, 'here'),
      most: 2.5,
    },
    {
      row: 'latency',
      text: 'p99 / that of the sharded adapter',
      value: beside('p99', SHARDED, 'p99'),
      most: 2,
    },
    {
      row: 'latency',
      text: 'signals at 500/s lost or doubled',
      value: Math.max(...all(TWO, ({ missing }) => missing)),
      most: 0,
    },
    {
      row: 'kill',
      text: 'seconds until all peers of a dead node were at the other, at most',
      value: worst(({ took }) => took) / 1000,
      most: 15,
    },
    { row: 'kill', text: '… of them lost', value: worst(({ lost }) => lost), most: 0 },
    {
      row: 'kill',
      text: '… too many or too few in the directory',
      value: worst(({ surplus }) => Math.abs(surplus)),
      most: 0,
    },
    {
      row: 'kill',
      text: '… signals after it lost or doubled',
      value: worst(({ signalsLost }) => signalsLost),
      most: 0,
    },
  ];
  console.log('\n| | | bar |\n| - | - | - |');
  // a figure that is not there is none that is met
  const isMet = ({ value, most }: Bar): boolean => Number.isFinite(value) && value <= most;
  const asked = bars.filter(({ row }) => only.includes(row));
  for (const bar of asked)
    console.log(`| ${bar.text} | ${bar.value.toFixed(2)} | ≤ ${bar.most}: ${isMet(bar) ? 'met' : '**missed**'} |`);
  process.exitCode = asked.every(isMet) ? 0 : 1;
}
