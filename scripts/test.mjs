// npm test [-- --long] [--only lint,node,browser,scenarios] [--match TEXT] [--verbose] [--no-build]
// Finds the browsers, builds, then runs one suite after another. The last line is `N passed, N failed, N skipped` over all of them.
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

const total = { passed: 0, failed: 0, skipped: 0 };
const build = values['no-build'] ? { code: 0 } : await run(process.execPath, ['scripts/build.mjs']);
if (build.code === 0) for (const name of Object.keys(SUITES)) if (chosen.includes(name)) await runSuite(name);
if (build.code !== 0) total.failed++;
console.log(summary(total));
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

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
