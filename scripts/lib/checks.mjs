// The checks of `npm run lint`, as data: name, command, arguments.
import { existsSync } from 'node:fs';
import { ROOT, bin, run, seconds } from './run.mjs';

const LAYERED = ['protocol', 'mesh', 'sw', 'components', 'server', 'demo', 'index.ts', 'test', 'bench'].filter((path) =>
  existsSync(ROOT + path),
);

const CHECKS = [
  ['types', 'tsc', ['-b', '--pretty', 'false']],
  ['eslint', 'eslint', ['.', '--max-warnings', '0']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['layers', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...LAYERED]],
];

/** Runs all checks, two at a time. @returns {Promise<{ passed: string[], failed: string[] }>} names */
export async function runChecks() {
  const results = { passed: [], failed: [] };
  const waiting = [...CHECKS];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const [name, command, args] = check;
      const start = performance.now();
      const { code, output } = await run(bin(command), args, { quiet: true });
      console.log(`  ${code === 0 ? '✔' : '✖'} ${name} (${seconds(start)})`);
      if (code !== 0) console.log(output.trimEnd().replace(/^/gm, '    '));
      results[code === 0 ? 'passed' : 'failed'].push(name);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}
