// npm run bench -- NAME …: builds, then runs bench/NAME.bench.ts with what follows the name. Without a name: lists what there is.
import { existsSync, readdirSync } from 'node:fs';
import { findBrowsers } from './lib/browsers.mjs';
import { ROOT, run } from './lib/run.mjs';

const [name, ...rest] = process.argv.slice(2);
process.chdir(ROOT);
if (name === undefined || !existsSync(`bench/${name}.bench.ts`)) {
  const known = readdirSync('bench').flatMap((file) =>
    file.endsWith('.bench.ts') ? [file.slice(0, -'.bench.ts'.length)] : [],
  );
  console.error(`Usage: npm run bench -- NAME. There are: ${known.join(', ')}.`);
  process.exit(1);
}
const browsers = await findBrowsers();
if (browsers === undefined) process.exit(1);
const build = await run(process.execPath, ['scripts/build.mjs']);
if (build.code !== 0) process.exit(build.code);
const { code } = await run(process.execPath, ['--import', 'tsx', `bench/${name}.bench.ts`, ...rest], { env: browsers });
process.exit(code);
