/**
 * What the signaling costs beside a bare socket.io relay and WebTorrent's tracker: memory and CPU of the server's process, on a core of its own, under
 * a generator on another that speaks the protocols by hand. Systems in alternating order, medians.
 *
 * npm run bench -- signaling [--peers 10000] [--runs 3] [--only ROW …] [--systems NAME …]
 * Ends with 1 when a bar is missed.
 */
import { Command, Option } from 'commander';
import { splitCores } from './signaling/cores.ts';
import { count, DEFAULTS, ROWS, type SignalingBenchOptions } from './signaling/options.ts';
import { linesOf, tableOf } from './signaling/report.ts';
import { runRound, type Round } from './signaling/round.ts';
import { SYSTEMS } from './signaling/systems.ts';

await new Command('signaling')
  .description('memory and CPU of the signaling server beside others; ends with 1 if a bar is missed')
  .option(
    '--peers <count>',
    'that join one swarm, in hundreds; each needs a file descriptor here and in the server',
    count,
    DEFAULTS.peers,
  )
  .option('--runs <count>', 'rounds of each system', count, DEFAULTS.runs)
  .option('--signals <count>', 'that are exchanged for each figure', count, DEFAULTS.signals)
  .option('--burst <count>', 'connections that are begun at once', count, DEFAULTS.burst)
  .option('--profiles <folder>', 'writes a CPU profile of each server there, which makes them slower')
  .addOption(new Option('--only <rows...>', 'what is measured').choices(ROWS).default(ROWS))
  .addOption(
    new Option('--systems <names...>', 'which servers')
      .choices(SYSTEMS.map(({ name }) => name))
      .default(DEFAULTS.systems),
  )
  .action(async (flags: Partial<SignalingBenchOptions>) => compare({ ...DEFAULTS, ...flags }))
  .parseAsync();

async function compare(options: SignalingBenchOptions): Promise<void> {
  const core = splitCores();
  const systems = SYSTEMS.filter(({ name }) => options.systems.includes(name));
  const rounds = new Map<string, Round[]>(systems.map(({ name }) => [name, []]));
  for (let run = 0; run < options.runs; run++) {
    // whoever goes second may find another machine: each is first in turn
    for (const system of run % 2 === 0 ? systems : [...systems].reverse()) {
      const round = await runRound(system, options, core);
      rounds.get(system.name)?.push(round);
      console.error(`run ${run + 1}, ${system.name}: ${JSON.stringify(round, rounded)}`);
    }
  }
  console.log(tableOf(rounds));
  process.exitCode = linesOf(rounds).every(({ met }) => met !== false) ? 0 : 1;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
