// npm test [-- --long] [--only lint,simulated,node,browser,scenarios] [--match TEXT] [--verbose] [--no-build]
// Finds the browsers, builds, then runs one suite after another; those that need no clock beside the others, where there is a scheduler for what may wait. The last line is `N passed, N failed, N skipped` over all of them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBrowsers } from './lib/browsers.mjs';
import { ROOT, run, seconds } from './lib/run.mjs';
import { SUITES } from './lib/suites.mjs';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(SUITES).join(',') },
    match: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});
const { long, match } = values;
const chosen = values.only.split(',');
const unknown = chosen.filter((name) => !(name in SUITES));
if (unknown.length > 0) fail(`Unknown suite: ${unknown.join(', ')}. There are ${Object.keys(SUITES).join(', ')}.`);

process.chdir(ROOT);
const browsers = await findBrowsers();
if (browsers === undefined) process.exit(1);
const env = { ...browsers, P2P_LONG: long ? '1' : '', P2P_VERBOSE: values.verbose ? '1' : '' };

/** Nothing in them depends on how long it takes: they have what the others leave of the processors. */
const IDLE = ['lint', 'simulated'];
/** Linux's SCHED_IDLE: it runs when nothing else does (sched(7)). */
const AT_IDLE = ['chrt', '--idle', '0'];

const total = { passed: 0, failed: 0, skipped: 0 };
const build = values['no-build'] ? { code: 0 } : await run(process.execPath, ['scripts/build.mjs']);
if (build.code === 0) await runAll();
if (build.code !== 0) total.failed++;
console.log(summary(total));
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

async function runAll() {
  const names = Object.keys(SUITES).filter((name) => chosen.includes(name));
  const isBeside = (name) => IDLE.includes(name) && names.includes('scenarios') && canRunAtIdle();
  const beside = names.filter(isBeside);
  const idle = beside.length > 0 ? runAtIdle(beside) : undefined;
  for (const name of names.filter((name) => !isBeside(name))) await runSuite(name);
  if (idle) addIdle(await idle);
}

function canRunAtIdle() {
  const [command, ...args] = AT_IDLE;
  return spawnSync(command, [...args, 'true']).status === 0;
}

/** This program again, with these suites. */
function runAtIdle(names) {
  const [command, ...args] = AT_IDLE;
  const own = [fileURLToPath(import.meta.url), '--no-build', '--only', names.join(',')];
  const flags = [...(match ? ['--match', match] : []), ...(values.verbose ? ['--verbose'] : [])];
  return run(command, [...args, process.execPath, ...own, ...flags], {
    env: { ...env, P2P_AT_IDLE: '1' },
    quiet: true,
  });
}

/** Its last line has the counts. */
function addIdle({ output }) {
  const [, passed, failed, skipped] = /\n(\d+) passed, (\d+) failed, (\d+) skipped\n$/.exec(output) ?? [];
  console.log(output.replace(/\n[^\n]*\n$/, ''));
  if (passed === undefined) console.log('  ✖ they ended before they had counted');
  total.passed += Number(passed ?? 0);
  total.failed += Number(failed ?? 1);
  total.skipped += Number(skipped ?? 0);
}

async function runSuite(name) {
  console.log(`\n${name}`);
  const start = performance.now();
  let counts;
  try {
    counts = await SUITES[name]({ match, long, env });
  } catch (error) {
    console.log(`  ✖ the suite crashed: ${error.stack}`);
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  console.log(`${name}: ${summary(counts)} in ${seconds(start)}`);
  for (const key of Object.keys(total)) total[key] += counts[key];
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
