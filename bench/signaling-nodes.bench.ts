/**
 * Two nodes and a Redis: what a signal costs where both peers are at one node, and where they are not, CPU of both nodes and of Redis, beside one node
 * without Redis; behind nginx, how long signals from node to node take at 500 a second; and what becomes of the peers of a node that is killed. Beside a
 * bare socket.io relay with its own adapters. Systems in alternating order, medians.
 *
 * npm run bench -- signaling-nodes [--peers 5000] [--runs 3] [--only ROW …]
 * Ends with 1 when a bar is missed.
 */
import { Command, Option } from 'commander';
import { splitCores } from './signaling/cores.ts';
import { Fleet, type Reach } from './signaling/fleet.ts';
import { move, type Move } from './signaling/move.ts';
import { Nodes } from './signaling/nodes.ts';
import { count } from './signaling/options.ts';
import { SYSTEMS, type System } from './signaling/systems.ts';
import { medianOrNaN } from './statistics.ts';

const ROWS = ['cpu', 'latency', 'kill'] as const;
type RowName = (typeof ROWS)[number];

interface Options {
  readonly peers: number;
  readonly runs: number;
  readonly only: readonly RowName[];
}

const SIGNALS = 40_000;
/** Signals a second, and for how long, ms, of which the time on the way is measured. */
const MURMUR = 500;
const MURMUR_MS = 10_000;
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
  for (let run = 0; run < options.runs; run++)
    // whoever goes second may find another machine: each is first in turn
    for (const each of run % 2 === 0 ? CASES : [...CASES].reverse()) {
      const seen: Figures = {};
      if (options.only.includes('cpu'))
        await withFleet(each, false, options, core, (fleet, nodes) => cpu(fleet, nodes, seen));
      if (
        each.count === 2 &&
        (options.only.includes('latency') || (each.system === ours && options.only.includes('kill')))
      )
        await withFleet(each, true, options, core, async (fleet, nodes) => {
          if (options.only.includes('latency')) await latency(fleet, seen);
          const [first] = nodes.servers;
          if (each.system === ours && first && options.only.includes('kill'))
            seen.kill = await move(fleet, SWARM, first, SIGNALS);
        });
      figures.get(each.name)?.push(seen);
      console.error(`run ${run + 1}, ${each.name}: ${JSON.stringify(seen)}`);
    }
  report(figures, options);
}

async function withFleet(
  { system, count, env }: Case,
  isBehindNginx: boolean,
  { peers }: Options,
  core: number | undefined,
  work: (fleet: Fleet, nodes: Nodes) => Promise<void>,
): Promise<void> {
  const nodes = await Nodes.start({ system, count, env, isBehindNginx, core });
  try {
    const fleet = new Fleet(system, nodes.ports);
    await fleet.open(peers);
    await fleet.join(fleet.peers, SWARM);
    await work(fleet, nodes);
    fleet.destroy();
  } finally {
    await nodes.stop();
  }
}

async function cpu(fleet: Fleet, nodes: Nodes, seen: Figures): Promise<void> {
  const cost = async (reach: Reach): Promise<number> => {
    await fleet.exchange(fleet.peers, SIGNALS / 2, true, reach); // compiled, and where peers are is known
    const before = nodes.cpu();
    await fleet.exchange(fleet.peers, SIGNALS, true, reach);
    return (nodes.cpu() - before) / SIGNALS;
  };
  seen.here = await cost('here');
  if (nodes.servers.length > 1) seen.elsewhere = await cost('elsewhere');
}

async function latency(fleet: Fleet, seen: Figures): Promise<void> {
  await fleet.exchange(fleet.peers, SIGNALS / 2, true, 'elsewhere');
  const tally = await fleet.murmur(fleet.peers, MURMUR, MURMUR_MS, 'elsewhere');
  seen.p50 = tally.latency(0.5) ?? NaN;
  seen.p99 = tally.latency(0.99) ?? NaN;
  seen.missing = tally.missing + tally.surplus;
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
  const alone = median(ALONE, ({ here }) => here);
  const bars: readonly Bar[] = [
    { row: 'cpu', text: 'CPU, same node / one node alone', value: median(TWO, ({ here }) => here) / alone, most: 1.1 },
    {
      row: 'cpu',
      text: 'CPU, other node / one node alone',
      value: median(TWO, ({ elsewhere }) => elsewhere) / alone,
      most: 2.5,
    },
    {
      row: 'latency',
      text: 'p99 / that of the sharded adapter',
      value: median(TWO, ({ p99 }) => p99) / median(SHARDED, ({ p99 }) => p99),
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
