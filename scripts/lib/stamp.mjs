// What the build is made from, as one hash: so that `npm start` and `npm test` build only when a source has changed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { ROOT } from './run.mjs';

const SOURCES = [
  'protocol',
  'mesh',
  'sw',
  'components',
  'server',
  'index.ts',
  'scripts/build.mjs',
  'scripts/lib',
  'rollup.config.mjs',
  'tsconfig',
  'tsconfig.base.json',
  'package.json',
  'package-lock.json',
];

export const STAMP = `${ROOT}dist/.stamp`;

export function sourceStamp() {
  const hash = createHash('sha256').update(process.version);
  for (const file of SOURCES.flatMap(filesUnder)) {
    const content = readFileSync(ROOT + file);
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

export const isUpToDate = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourceStamp();

function filesUnder(path) {
  if (!existsSync(ROOT + path)) return [];
  if (!statSync(ROOT + path).isDirectory()) return [path];
  return readdirSync(ROOT + path)
    .sort()
    .flatMap((entry) => filesUnder(`${path}/${entry}`));
}
