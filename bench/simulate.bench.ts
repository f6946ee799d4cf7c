/**
 * The mesh without browsers: the product's engine for 6 to 10,000 peers on a virtual clock, in networks with simulated lines. What is
 * printed on stdout depends on nothing but the command; how long it took goes to stderr.
 *
 * npm run bench -- simulate --help
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Muted, ScenarioOptions } from './simulate/scenario.ts';
import { scaleDown } from './simulate/scaled/scale-down.ts';

interface Flags extends Omit<ScenarioOptions, 'muted'> {
  readonly mute: readonly Muted[];
  readonly fullSize: boolean;
  readonly segments: boolean;
  readonly json: boolean;
}

const MUTABLE = ['fetching', 'queued', 'want', 'claim'] satisfies Muted[];

await new Command('simulate')
  .description(
    "the product's engine on a virtual clock, with P2P and without: of large networks the sites of 500 viewers, for without it sites have nothing to do with each other; ends with 1 if a bar is missed",
  )
  .argument(
    '[scenarios...]',
    'NETWORK or NETWORK/BEHAVIOUR each. Networks: classroom-6, classroom-30, assembly-1000, sites-200x50, households-10000, all; behaviours: together, staggered, seek, live, leave, silent, slow, liars, without one all of them',
    ['classroom-6', 'classroom-30'],
  )
  .option('--seed <number>', 'the same seed, the same output', count)
  .option('--viewers <count>', 'fewer than the network has', count)
  .option('--seconds <count>', 'of the film', count)
  .option(
    '--blocks <count>',
    'in a segment of 4 s, 16 unless told otherwise; with fewer all lines are slower too',
    count,
  )
  .addOption(
    new Option('--mute <types...>', 'messages that are lost on the way, which the bars must notice')
      .choices(MUTABLE)
      .default([]),
  )
  .option(
    '--full-size',
    'blocks of 64 KiB, as in the product, instead of 4 KiB on lines that are 16 times slower',
    false,
  )
  .option('--segments', 'figures of each segment too', false)
  .option('--json', 'all of it, for programs', false)
  .action(simulate)
  .parseAsync();

async function simulate(scenarios: readonly string[], flags: Flags): Promise<void> {
  const { mute, fullSize, segments, json, ...options } = flags;
  if (!fullSize) scaleDown();
  const { chosen, main } = await import('./simulate/main.ts');
  const all = chosen(scenarios, { ...options, muted: mute });
  if (typeof all === 'string') {
    console.error(`error: ${all}`);
    process.exitCode = 1;
    return;
  }
  const isMet = await main({ scenarios: all, segments, json });
  process.exitCode = isMet ? 0 : 1;
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value === 0) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}
