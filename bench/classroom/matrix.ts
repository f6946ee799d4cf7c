/** Runs the scenarios several times over, round by round, so that what drifts drifts for all. */
import type { Measurement } from './measurement.ts';
import { runOptions, type RunOptions, type SystemName } from './options.ts';
import { report } from './report.ts';
import { resultOf, type Result } from './result.ts';
import { runClassroom } from './run.ts';
import { REFERENCE, type Scenario } from './scenarios.ts';
import type { Places } from './systems.ts';
import type { Cell } from './table.ts';

export interface MatrixOptions {
  readonly scenarios: readonly Scenario[];
  readonly runs: number;
  /** Others that are measured once in each scenario. */
  readonly others: readonly SystemName[];
  /** Told of each run that succeeded; `round` begins with 1. */
  readonly onRun: (name: string, measurement: Measurement, result: Result) => void;
}

interface Entry {
  readonly scenario: Scenario;
  readonly system: SystemName;
  readonly runs: number;
  readonly results: Result[];
}

export async function runMatrix({ scenarios, runs, others, onRun }: MatrixOptions, places: Places): Promise<Cell[]> {
  const entries = scenarios.flatMap((scenario): Entry[] => {
    const entry = (system: SystemName, times: number): Entry => ({ scenario, system, runs: times, results: [] });
    if (scenario === REFERENCE) return [entry('hlsjs', runs)];
    return [entry('p2p-elements', runs), ...others.map((system) => entry(system, 1))];
  });
  for (let round = 1; round <= runs; round++) {
    for (const { scenario, system, results, runs: times } of entries) {
      if (round > times) continue;
      const name = `${scenario.id}-${system}-${round}`;
      const options = runOptions({ ...scenario.options, system });
      const measurement = await attempt(name, options, places);
      if (measurement === undefined) continue;
      const result = resultOf(measurement);
      results.push(result);
      console.error(`${name}: ${report(measurement, result)}\n`);
      onRun(name, measurement, result);
    }
  }
  return entries;
}

/** One run that fails is shown as such, and the others go on. */
async function attempt(name: string, options: RunOptions, places: Places): Promise<Measurement | undefined> {
  try {
    return await runClassroom(options, places);
  } catch (error) {
    console.error(`${name} failed:`, error);
    return undefined;
  }
}
