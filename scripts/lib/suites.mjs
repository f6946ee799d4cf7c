// The suites of `npm test`: each finds its files, runs them and gives its counts.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { runChecks } from './checks.mjs';
import { leftoversFolder, sweepLeftovers } from './leftovers.mjs';
import { ROOT, bin, run } from './run.mjs';

const MINUTE = 60_000;

const NODE_TEST = [
  '--import',
  'tsx',
  '--test-reporter',
  './scripts/lib/node-reporter.mjs',
  '--test-reporter-destination',
  'stdout',
];

/** Tests of code without ports, files or processes, in simulated time: they share one process, whose start takes as long as most of them. */
const SIMULATED = /^test\/(?:mesh\/(?!io\/)|protocol\/|components\/|sw\/)/;

/** Changes constants of the kit before it is imported. */
const OTHER_CONSTANTS = 'test/bench/simulate.test.ts';

/**
 * Scenarios in which nothing depends on how fast neighbours find each other: three of these groups run at a time, each in a process, the longest first; all
 * others run alone.
 */
const PATIENT = [
  ['operations'],
  ['package'],
  ['two-nodes'],
  ['never', 'versions'],
  ['tokens', 'turn'],
  ['offline', 'static-routes'],
  ['door', 'fallbacks'],
  ['store', 'interrupted'],
  ['lone-viewer', 'back-forward'],
  ['bad-input', 'weight'],
];

/** In the order in which they run. Each takes `{ match, long, env }` and gives `{ passed, failed, skipped }`. */
export const SUITES = { lint, simulated, node: nodeTests, browser: browserTests, scenarios };

async function lint({ match }) {
  if (match) return { passed: 0, failed: 0, skipped: 0 };
  const { passed, failed } = await runChecks();
  return { passed: passed.length, failed: failed.length, skipped: 0 };
}

async function simulated({ match, env }) {
  const { files, options } = nodeFiles((file) => SIMULATED.test(file), match);
  return files.length === 0 ? none() : together(files, options, { env, timeout: 20 * MINUTE });
}

/** Those of a folder share a process, whose start takes as long as many of them. */
async function nodeTests({ match, long, env }) {
  const { files, options } = nodeFiles((file) => !SIMULATED.test(file), match);
  const folders = new Map();
  for (const file of files) {
    const key = file === OTHER_CONSTANTS ? file : dirname(file);
    folders.set(key, [...(folders.get(key) ?? []), file]);
  }
  // What is likely to take longest comes first.
  const sizeOf = (files) => files.reduce((sum, file) => sum + statSync(ROOT + file).size, 0);
  const largestFirst = [...folders.values()].sort((a, b) => sizeOf(b) - sizeOf(a));
  return inLanes(6, largestFirst, (files) => together(files, options, { env, timeout: (long ? 60 : 10) * MINUTE }));
}

/** Runs test files in one process, one after the other. */
const together = (files, options, { env, timeout }) =>
  counted(process.execPath, [...options, 'scripts/lib/all-in-one.mjs'], {
    env: { ...env, P2P_FILES: files.join('\n') },
    timeout,
  });

/** Runs so many jobs at a time, and adds up their counts. */
async function inLanes(lanes, jobs, run) {
  const waiting = [...jobs];
  const total = none();
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) add(total, await run(job));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return total;
}

/** Node tests of this kind, and the options for them. */
function nodeFiles(isOfKind, match) {
  const all = testFiles().filter((file) => /(?<!\.browser)\.test\.ts$/.test(file));
  const { files, name } = select(all, match);
  return {
    files: files.filter(isOfKind),
    options: [...NODE_TEST, ...(name ? ['--test-name-pattern', name] : [])],
  };
}

async function browserTests({ match, env }) {
  const { files, name } = select(
    testFiles().filter((file) => file.endsWith('.browser.test.ts')),
    match,
  );
  if (files.length === 0) return none();
  return counted(bin('wtr'), ['--config', 'web-test-runner.config.mjs'], {
    env: { ...env, P2P_FILES: files.join('\n'), ...(name && { P2P_MATCH: name }) },
    timeout: 5 * MINUTE,
  });
}

/** Those that depend on time share a process. */
async function scenarios({ match, long, env }) {
  const { files, name } = select(
    testFiles().filter((file) => /^test\/scenarios\/.*\.scenario\.ts$/.test(file)),
    match,
  );
  const options = [...NODE_TEST, ...(name ? ['--test-name-pattern', name] : [])];
  const timeout = (long ? 120 : 20) * MINUTE;
  const run = (files) => together(files, options, { env, timeout });
  const groups = (long ? [] : PATIENT).map((names) =>
    files.filter((file) => names.includes(basename(file, '.scenario.ts'))),
  );
  const patient = groups.filter(({ length }) => length > 0);
  const others = files.filter((file) => !patient.flat().includes(file));
  const total = await inLanes(3, patient, run);
  return others.length === 0 ? total : add(total, await run(others));
}

const none = () => ({ passed: 0, failed: 0, skipped: 0 });

function add(total, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  return total;
}

let countedRuns = 0;

/**
 * Runs a process that writes its counts to the file P2P_COUNTS. One that ends without them, in the middle of a test, or badly for no counted
 * reason, has failed.
 */
async function counted(command, args, { env, timeout }) {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const file = `${ROOT}.cache/counts-${process.pid}-${++countedRuns}.json`;
  rmSync(file, { force: true });
  const leftovers = leftoversFolder();
  const { code, timedOut } = await run(command, args, {
    env: { ...env, P2P_PIDS: leftovers, P2P_COUNTS: file },
    timeout,
  });
  sweepLeftovers(leftovers);
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none();
  rmSync(file, { force: true });
  const { underWay = [], ...numbers } = counts;
  if (timedOut || underWay.length > 0 || (code !== 0 && numbers.failed === 0)) {
    const end = timedOut ? `took more than ${timeout / MINUTE} minutes` : `ended with code ${code}`;
    console.log(`  ✖ the run ${end} and said no more${underWay.map((test) => `\n      under way: ${test}`).join('')}`);
    numbers.failed++;
  }
  return numbers;
}

/** `--match` names files if any path has it, else tests. */
function select(files, match) {
  if (!match) return { files };
  const named = files.filter((file) => file.toLowerCase().includes(match.toLowerCase()));
  return named.length > 0 ? { files: named } : { files, name: match };
}

const testFiles = () =>
  readdirSync(`${ROOT}test`, { recursive: true })
    .map((file) => `test/${file}`)
    .filter((file) => file.endsWith('.ts') && !file.startsWith('test/fixtures/'))
    .sort();
