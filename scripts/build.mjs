// npm run build: makes dist/ from the sources, unless it is up to date already.
//   --force     build in any case
//   --no-types  leave out the type check and the declarations (the result does not count as up to date)
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { rollup } from 'rollup';
import builds from '../rollup.config.mjs';
import { compressFolder } from './lib/compress.mjs';
import { withLock } from './lib/lock.mjs';
import { ROOT, bin, run, seconds } from './lib/run.mjs';
import { STAMP, isUpToDate, sourceStamp } from './lib/stamp.mjs';

/** The projects whose declarations are published; tests are checked by `npm run lint`. */
const PROJECTS = ['window', 'service-worker', 'node'].map((name) => `tsconfig/${name}.json`);

process.chdir(ROOT);
const force = process.argv.includes('--force');
const types = !process.argv.includes('--no-types');
await withLock('.cache/build.lock', () => (force || !isUpToDate() ? build() : console.log('dist/ is up to date.')));

async function build() {
  const start = performance.now();
  const stamp = sourceStamp();
  const staging = `.cache/build-${process.pid}`;
  try {
    const [declarations] = await Promise.all([types ? emitDeclarations() : { code: 0, output: '' }, bundle(staging)]);
    if (declarations.code !== 0) throw new Error(`tsc found mistakes:\n${declarations.output}`);
    const sizes = await compressFolder(`${staging}/browser`, availableParallelism());
    moveIntoDist(staging);
    if (types) writeFileSync(STAMP, stamp);
    console.log(sizes);
    console.log(`Built dist/ in ${seconds(start)}.`);
  } catch (error) {
    console.error(`The build failed. ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Without the build info tsc would not write declarations again that someone has deleted. */
function emitDeclarations() {
  if (!existsSync('dist/types')) rmSync('.cache/tsc', { recursive: true, force: true });
  return run(bin('tsc'), ['-b', '--pretty', 'false', ...PROJECTS], { quiet: true });
}

/** Into a folder of its own first: whoever serves dist/ meanwhile never sees half of a build. */
async function bundle(staging) {
  for (const { output, ...input } of builds) {
    const build = await rollup(input);
    await build.write({ ...output, dir: output.dir.replace(/^dist/, staging) });
    await build.close();
  }
  chmodSync(`${staging}/cli.js`, 0o755);
}

function moveIntoDist(staging) {
  mkdirSync('dist', { recursive: true });
  for (const name of readdirSync('dist')) if (/\.js(\.map)?$/.test(name)) rmSync(`dist/${name}`);
  rmSync('dist/browser', { recursive: true, force: true });
  for (const name of readdirSync(staging)) renameSync(`${staging}/${name}`, `dist/${name}`);
}
