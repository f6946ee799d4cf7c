/** `classroom matrix`: all scenarios, against their bars. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { writeSection } from './benchmarks-page.ts';
import { runMatrix } from './matrix.ts';
import { SYSTEMS, type SystemName } from './options.ts';
import { prepare, withPlaces, type PlaceFlags } from './place-flags.ts';
import { SCENARIOS, selectScenarios } from './scenarios.ts';
import { allPassed, disturbanceNote, table } from './table.ts';
import { writeRun } from './write-run.ts';

interface MatrixFlags extends PlaceFlags {
  readonly runs: number;
  readonly only: readonly string[];
  readonly with: readonly SystemName[];
  readonly json?: string;
  readonly write: boolean;
}

export const matrixCommand = (): Command =>
  withPlaces(
    new Command('matrix').description(
      `all scenarios and their bars, medians as a Markdown table; ends with 1 if a bar is missed. ${SCENARIOS.map(({ id }) => id).join(', ')}`,
    ),
  )
    .addOption(new Option('--runs <count>', 'of each scenario').argParser(count).default(3))
    .option('--only <ids...>', 'scenarios whose id begins so, e.g. D1 D2.cut', [])
    .addOption(
      new Option('--with <systems...>', 'others, measured once in each scenario')
        .choices(SYSTEMS.filter((system) => system !== 'p2p-elements'))
        .default([]),
    )
    .option('--json <folder>', 'write each run into it')
    .option('--write', 'put the table into docs/benchmarks.md', false)
    .action(matrix);

async function matrix(flags: MatrixFlags): Promise<void> {
  const scenarios = selectScenarios(flags.only);
  const places = prepare(flags, ['p2p-elements', 'hlsjs', ...flags.with]);
  const folder = flags.json === undefined ? undefined : resolve(flags.json);
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const when = new Date();
  const cells = await runMatrix(
    {
      scenarios,
      runs: flags.runs,
      others: flags.with,
      onRun: (name, measurement, result) => {
        if (folder !== undefined) writeRun(join(folder, `${name}.json`), measurement, result);
      },
    },
    places,
  );
  const shown = [table(cells), disturbanceNote(cells)].filter((part) => part !== '').join('\n\n');
  console.log(shown);
  if (flags.write) await writeSection({ table: shown, command: commandLine(flags), when });
  if (!allPassed(cells)) process.exitCode = 1;
}

/** What matters of it to somebody who wants to see the same. */
function commandLine({ runs, only, with: others }: MatrixFlags): string {
  const words = [
    ...(only.length === 0 ? [] : ['--only', ...only]),
    ...(others.length === 0 ? [] : ['--with', ...others]),
  ];
  return ['npm run bench -- classroom matrix --runs', runs, ...words].join(' ');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}
