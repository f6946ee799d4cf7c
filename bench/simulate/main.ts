/** Runs the scenarios that the command line names, and prints what came of them. */
import { barsOf, barsTable, figuresOf, figuresTable, nameOf, type Outcome } from './report.ts';
import { Run, type RunResult } from './run.ts';
import {
  BEHAVIOURS,
  NETWORKS,
  sampleOf,
  scenarioOf,
  type Behaviour,
  type NetworkName,
  type Scenario,
  type ScenarioOptions,
} from './scenario.ts';

export interface Arguments {
  readonly scenarios: readonly Scenario[];
  readonly segments: boolean;
  readonly json: boolean;
}

/** A long run says on stderr how far it is, ms of wall time. */
const SAY_EVERY_MS = 30_000;

/** @returns whether all bars are met */
export async function main({ scenarios, segments, json }: Arguments): Promise<boolean> {
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    const mesh = await timed(scenario, true);
    const alone = await timed(sampleOf(scenario), false);
    outcomes.push({ scenario, mesh, alone });
  }
  const figures = outcomes.map(figuresOf);
  const bars = outcomes.flatMap((outcome) =>
    barsOf(
      outcome,
      figures.find(({ scenario }) => scenario === `${outcome.scenario.network}/together`),
    ),
  );
  if (json) console.log(JSON.stringify({ figures, bars, runs: outcomes.map(({ mesh }) => mesh) }));
  else {
    console.log(figuresTable(figures));
    console.log(`\n${barsTable(bars)}`);
    if (segments) for (const { scenario, mesh } of outcomes) console.log(`\n${segmentsTable(scenario, mesh)}`);
  }
  return bars.every(({ isMet }) => isMet);
}

/**
 * @param names NETWORK or NETWORK/BEHAVIOUR each
 * @returns what is wrong with them where one is not known
 */
export function chosen(names: readonly string[], options: ScenarioOptions): Scenario[] | string {
  const networks = Object.keys(NETWORKS) as NetworkName[];
  const all: Scenario[] = [];
  for (const name of names) {
    const [network = '', behaviour] = name.split('/');
    const chosenNetworks = networks.filter((known) => network === 'all' || known === network);
    const chosenBehaviours = BEHAVIOURS.filter((known) => behaviour === undefined || known === behaviour);
    if (chosenNetworks.length === 0 || chosenBehaviours.length === 0)
      return `"${name}" is no scenario: expected one of ${networks.join(', ')}, alone or with /${BEHAVIOURS.join(', /')}.`;
    for (const one of chosenNetworks)
      all.push(...chosenBehaviours.map((each: Behaviour) => scenarioOf(one, each, options)));
  }
  return all;
}

async function timed(scenario: Scenario, shares: boolean): Promise<RunResult> {
  const start = performance.now();
  const before = process.cpuUsage();
  let said = start;
  const result = await Run.of(scenario, shares, (now) => {
    if (performance.now() - said < SAY_EVERY_MS) return;
    said = performance.now();
    console.error(
      `${nameOf(scenario)}: ${(now / 1000).toFixed(0)} s of it after ${((said - start) / 1000).toFixed(0)} s`,
    );
  });
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1e6;
  console.error(
    `${nameOf(scenario)} ${shares ? 'with' : 'without'} P2P: ${wall.toFixed(1)} s (${cpu.toFixed(1)} s of CPU), ${(result.peerSeconds / wall).toFixed(0)} simulated peer-seconds and ${(result.events / wall).toFixed(0)} events a second`,
  );
  return result;
}

function segmentsTable(scenario: Scenario, { segments }: RunResult): string {
  const rows = segments.map(
    ({ index, copiesMean, copiesWorst, originCopies, sitesAtOrigin, viewersAtOrigin }) =>
      `| ${index} | ${copiesMean.toFixed(2)} | ${copiesWorst.toFixed(2)} | ${originCopies.toFixed(2)} | ${(100 * sitesAtOrigin).toFixed(1)} | ${(100 * viewersAtOrigin).toFixed(1)} |`,
  );
  return [
    `${nameOf(scenario)}:`,
    '',
    '| segment | copies per site | worst site | copies at the origin | % of sites at the origin | % of viewers |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
