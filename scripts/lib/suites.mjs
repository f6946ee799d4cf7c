// The suites of `npm test`: each finds its files, runs them and gives its counts.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { runChecks } from './checks.mjs';
import { LEFTOVERS_ENV, sweepLeftovers } from './leftovers.mjs';
import { ROOT, bin, run } from './run.mjs';

process.on('exit', sweepLeftovers);

const MINUTE = 60_000;
const NODE_TEST = [
  '--import',
  'tsx',
  '--test-reporter',
  './scripts/lib/node-reporter.mjs',
  '--test-reporter-destination',
  'stdout',
];

/** In the order in which they run. Each takes `{ match, long, env }` and gives `{ passed, failed, skipped }`. */
export const SUITES = { lint, node: nodeTests, browser: browserTests, scenarios };

async function lint({ match }) {
  if (match) return { passed: 0, failed: 0, skipped: 0 };
  const { passed, failed } = await runChecks();
  return { passed: passed.length, failed: failed.length, skipped: 0 };
}

async function nodeTests({ match, env }) {
  const { files, name } = select(
    testFiles().filter((file) => /(?<!\.browser)\.test\.ts$/.test(file)),
    match,
  );
  if (files.length === 0) return none();
  const pattern = name ? ['--test-name-pattern', name] : [];
  return counted(process.execPath, [...NODE_TEST, '--test', '--test-concurrency=2', ...pattern, ...files], {
    env,
    timeout: 10 * MINUTE,
  });
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

/** One process a file and one file at a time: several browsers share the machine already. */
async function scenarios({ match, long, env }) {
  const { files, name } = select(
    testFiles().filter((file) => /^test\/scenarios\/.*\.scenario\.ts$/.test(file)),
    match,
  );
  const pattern = name ? ['--test-name-pattern', name] : [];
  const total = none();
  for (const file of files) {
    const counts = await counted(process.execPath, [...NODE_TEST, ...pattern, file], {
      env,
      timeout: (long ? 40 : 10) * MINUTE,
    });
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

const none = () => ({ passed: 0, failed: 0, skipped: 0 });

/** Runs a process that writes its counts to the file P2P_COUNTS. One that ends without them, or badly for no counted reason, has failed. */
async function counted(command, args, { env, timeout }) {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const file = `${ROOT}.cache/counts-${process.pid}.json`;
  rmSync(file, { force: true });
  const { code, timedOut } = await run(command, args, { env: { ...env, ...LEFTOVERS_ENV, P2P_COUNTS: file }, timeout });
  sweepLeftovers();
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none();
  rmSync(file, { force: true });
  if (code !== 0 && counts.failed === 0) {
    console.log(
      `  ✖ the run ${timedOut ? `took more than ${timeout / MINUTE} minutes` : `ended with code ${code}`} and said no more: ${args.at(-1)}`,
    );
    counts.failed++;
  }
  return counts;
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
