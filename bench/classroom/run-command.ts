/** `classroom run`: one run. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULTS, MAX_VIEWERS, parseArrival, runOptions, SYSTEMS, type RunOptions } from './options.ts';
import { prepare, withPlaces, type PlaceFlags } from './place-flags.ts';
import { report } from './report.ts';
import { resultOf } from './result.ts';
import { runClassroom } from './run.ts';
import { writeRun } from './write-run.ts';

interface RunFlags extends Omit<Partial<RunOptions>, 'chromeFlags'>, PlaceFlags {
  readonly chromeFlag: string[];
  readonly json?: string;
}

export function runCommand(): Command {
  const command = withPlaces(new Command('run').description('one run'));
  const flags: [flags: string, description: string][] = [
    ['--viewers <count>', `how many, at most ${MAX_VIEWERS} (default: ${DEFAULTS.viewers})`],
    ['--uplink <mbit>', `Mbit/s from the origin to the LAN, 0 = unlimited (default: ${DEFAULTS.uplink})`],
    ['--back <mbit>', 'Mbit/s from the LAN to the origin (default: as --uplink)'],
    ['--queue-ms <ms>', `depth of the queue in front of the line (default: ${DEFAULTS.queueMs})`],
    ['--duration <seconds>', `vod: of media; live: to watch after the last arrival (default: ${DEFAULTS.duration})`],
    ['--timeout <seconds>', 'vod: give up then (default: 3 × duration + 30)'],
    ['--live-window <segments>', `segments of 4 s in the live playlist (default: ${DEFAULTS.liveWindow})`],
    ['--kill-origin-at <seconds>', 'cut the line then (seeded: after the others start)'],
    ['--kill-viewer-at <seconds>', 'kill one browser then'],
  ];
  for (const [name, description] of flags) command.addOption(new Option(name, description).argParser(number));
  return command
    .addOption(new Option('--system <name>', 'what to measure').choices(SYSTEMS).default(DEFAULTS.system))
    .addOption(
      new Option(
        '--arrival <how>',
        'together | stagger:SECONDS | ahead:SECONDS (viewer 1 ahead of all others)',
      ).argParser(arrival),
    )
    .addOption(new Option('--mode <mode>', 'vod or live').choices(['vod', 'live']).default(DEFAULTS.mode))
    .addOption(new Option('--renditions <count>', '1 (2 Mbit/s) or 3 (1, 2, 4 Mbit/s)').argParser(number).default(1))
    .addOption(
      new Option('--kill-viewer <number>', 'which one, or "busiest": who has sent most on the LAN')
        .argParser(victim)
        .default(DEFAULTS.killViewer),
    )
    .option('--seeded', 'viewer 1 watches everything first, then the others start')
    .option('--warm', 'each viewer visits once before, alone; measured is the second visit')
    .option('--no-nat', "the origin sees the viewers' own addresses")
    .option('--query <query>', 'added to the page\'s URL, e.g. config={"maxBufferLength":60}')
    .option('--chrome-flag <flag>', 'for Chromium (repeatable)', (flag: string, all: string[]) => [...all, flag], [])
    .option('--json <file>', 'write all that was measured')
    .option('--verbose', "show the pages' consoles and the origin's messages")
    .action(run);
}

async function run({ competitors, media, chromium, chromeFlag, json, ...said }: RunFlags): Promise<void> {
  const options = runOptions({ ...said, chromeFlags: chromeFlag });
  const places = prepare({ media, chromium, ...(competitors !== undefined && { competitors }) }, [options.system]);
  const measurement = await runClassroom(options, places);
  const result = resultOf(measurement);
  console.log(report(measurement, result));
  if (json !== undefined) writeRun(resolve(json), measurement, result);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('Expected a number.');
  return value;
}

const victim = (text: string): RunOptions['killViewer'] => (text === 'busiest' ? text : number(text));

function arrival(text: string): RunOptions['arrival'] {
  try {
    return parseArrival(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
