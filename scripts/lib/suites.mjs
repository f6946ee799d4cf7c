// The suites of `npm test`: each finds its files, runs them and gives its counts.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { runChecks } from './checks.mjs';
import { leftoversFolder, sweepLeftovers } from './leftovers.mjs';
import { ROOT, bin, run } from './run.mjs';

const MINUTE = 60_000;

/** Of a file of node tests, the slowest of which takes some 30 s, in milliseconds. */
const FILE_TIMEOUT = 3 * MINUTE;

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

/** Scenarios in which nothing depends on how fast neighbours find each other: they run three at a time, the others alone. */
const PATIENT = [
  'back-forward',
  'bad-input',
  'interrupted',
  'lone-viewer',
  'never',
  'offline',
  'operations',
  'package',
  'static-routes',
  'store',
  'tokens',
  'turn',
  'two-nodes',
  'versions',
  'weight',
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
  if (files.length === 0) return none();
  return counted(process.execPath, [...options, 'scripts/lib/all-in-one.mjs'], {
    env: { ...env, P2P_FILES: files.join('\n') },
    timeout: 20 * MINUTE,
  });
}

async function nodeTests({ match, env }) {
  const { files, options } = nodeFiles((file) => !SIMULATED.test(file), match);
  if (files.length === 0) return none();
  const args = ['--test', '--test-concurrency=3', `--test-timeout=${FILE_TIMEOUT}`];
  return counted(process.execPath, [...options, ...args, ...files], { env, timeout: 10 * MINUTE });
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

/** One process a file. */
async function scenarios({ match, long, env }) {
  const { files, name } = select(
    testFiles().filter((file) => /^test\/scenarios\/.*\.scenario\.ts$/.test(file)),
    match,
  );
  const options = [...NODE_TEST, ...(name ? ['--test-name-pattern', name] : [])];
  const timeout = (long ? 40 : 10) * MINUTE;
  const total = none();
  const lane = async (waiting) => {
    for (let file = waiting.shift(); file; file = waiting.shift())
      add(total, await counted(process.execPath, [...options, file], { env, timeout }));
  };
  const isPatient = (file) => !long && PATIENT.includes(basename(file, '.scenario.ts'));
  const patient = files.filter(isPatient);
  await Promise.all([lane(patient), lane(patient), lane(patient)]);
  await lane(files.filter((file) => !isPatient(file)));
  return total;
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
